import {
  phaseMs,
  START_PHASES,
  type StartKind,
  type StartPhase,
  type StartPhases,
  startTotalMs,
} from '@skyrun/contracts';
import { classNames } from '../../components/class-names.ts';
import { millisText } from '../../format/quantity.ts';

const PHASE_NAMES: Readonly<Record<StartPhase, string>> = {
  queue: 'queue',
  create: 'create',
  start: 'start',
  probe: 'probe',
  firstByte: 'first byte',
};

const COLOURS: Readonly<Record<StartPhase, string>> = {
  queue: 'bg-line-strong',
  create: 'bg-series-2',
  start: 'bg-series-1',
  probe: 'bg-series-3',
  firstByte: 'bg-ok',
};

/** What was done, in the words of the idle ladder. */
export const KIND_NAMES: Readonly<Record<StartKind, string>> = {
  created: 'new container',
  restarted: 'stopped container',
  resumed: 'paused container',
};

export const phaseName = (phase: StartPhase, kind: StartKind): string =>
  phase === 'start' && kind === 'resumed' ? 'resume' : PHASE_NAMES[phase];

/** The phases that took any time, in their order. */
function measured(phases: StartPhases): { readonly phase: StartPhase; readonly ms: number }[] {
  return START_PHASES.flatMap((phase) => {
    const ms = phaseMs(phases, phase) ?? 0;
    return ms > 0 ? [{ phase, ms }] : [];
  });
}

export function phasesText(phases: StartPhases): string {
  const kind = phases.kind ?? 'created';
  return measured(phases)
    .map(({ phase, ms }) => `${phaseName(phase, kind)} ${millisText(ms)}`)
    .join(' · ');
}

interface PhaseBarProps {
  readonly phases: StartPhases;
  /** What the whole width stands for. */
  readonly longestMs: number;
  readonly className?: string;
}

/** The phases of one start as lengths; the figures stand beside it, so it is not read aloud. */
export function PhaseBar({ phases, longestMs, className }: PhaseBarProps) {
  const total = startTotalMs(phases);
  return (
    <div aria-hidden className={classNames('h-2 overflow-hidden rounded-full bg-sunken', className)}>
      <div
        className="flex h-full min-w-2 gap-px overflow-hidden rounded-full"
        style={{ width: `${longestMs === 0 ? 0 : (100 * total) / longestMs}%` }}
      >
        {measured(phases).map(({ phase, ms }) => (
          <span key={phase} className={classNames('h-full min-w-px', COLOURS[phase])} style={{ flexGrow: ms }} />
        ))}
      </div>
    </div>
  );
}

export function PhaseLegend() {
  return (
    <ul aria-label="Colours of the phases" className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-2">
      {START_PHASES.map((phase) => (
        <li key={phase} className="flex items-center gap-1.5">
          <span aria-hidden className={classNames('size-2 rounded-full', COLOURS[phase])} />
          {PHASE_NAMES[phase]}
        </li>
      ))}
    </ul>
  );
}
