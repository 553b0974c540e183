import { type Instance, type StartPhases, startTotalMs } from '@skyrun/contracts';
import { Moon } from 'lucide-react';
import { classNames } from '../components/class-names.ts';
import { useNow } from '../components/now.ts';
import { millisText } from '../format/quantity.ts';
import { agoText, spanText } from '../format/time.ts';
import { isLive } from '../live/reduce.ts';
import { PhaseBar, phasesText } from './starts/phases.tsx';

/** How long an ended instance stays in view, so that an eye can follow it out. */
const LINGER_MS = 20_000;

const LOOK: Readonly<Record<Instance['state'], { tile: string; light: string }>> = {
  starting: { tile: 'border-accent/50 bg-accent-soft', light: 'bg-accent animate-pulse-slow' },
  ready: { tile: 'border-ok/45 bg-ok-soft', light: 'bg-ok' },
  unready: { tile: 'border-warn/50 bg-warn-soft', light: 'bg-warn' },
  paused: { tile: 'border-line bg-sunken', light: 'bg-accent' },
  parked: { tile: 'border-line bg-sunken', light: 'bg-line-strong' },
  draining: { tile: 'border-warn/50 bg-warn-soft', light: 'bg-warn animate-pulse-slow' },
  stopped: { tile: 'border-line bg-sunken', light: 'bg-line-strong' },
  failed: { tile: 'border-bad/50 bg-bad-soft', light: 'bg-bad' },
};

/** The end of an id: UUIDv7 begins with the time, so the end is what tells two apart. */
export const shortId = (id: string): string => id.slice(-8);

function StartLine({ phases }: { phases: StartPhases }) {
  const total = startTotalMs(phases);
  return (
    <div title={phasesText(phases)}>
      <PhaseBar phases={phases} longestMs={total} className="h-1.5" />
      <p className="figures mt-1 truncate text-xs text-ink-2">
        {phases.kind === 'resumed' ? 'resumed' : 'started'} in {millisText(total)}
        <span className="sr-only">: {phasesText(phases)}</span>
      </p>
    </div>
  );
}

function Tile({ instance, now }: { instance: Instance; now: number }) {
  const { tile, light } = LOOK[instance.state];
  const since = instance.readyAt ?? instance.createdAt;
  const note =
    instance.state === 'ready'
      ? `for ${spanText(Math.max(0, now - Date.parse(since)))}`
      : (instance.reason ?? (instance.endedAt === undefined ? '' : agoText(instance.endedAt, now)));
  return (
    <li
      className={classNames(
        'flex min-w-0 animate-rise flex-col gap-1 rounded-xl border p-3 transition-colors duration-300',
        tile,
      )}
    >
      <p className="flex items-center justify-between gap-2">
        <span className="flex items-center gap-2 font-semibold capitalize">
          <span aria-hidden className={classNames('h-3.5 w-1.5 -skew-x-12 rounded-[2px]', light)} />
          {instance.state}
        </span>
        <code className="font-mono text-xs text-ink-2" title={instance.id}>
          {shortId(instance.id)}
        </code>
      </p>
      <p className="figures truncate text-xs text-ink-2">
        {note}
        {note !== '' && ' · '}
        {instance.node}
      </p>
      <p className="truncate text-xs text-ink-2">{instance.revisionName}</p>
      {instance.startPhases !== undefined && <StartLine phases={instance.startPhases} />}
    </li>
  );
}

interface InstanceTilesProps {
  readonly instances: readonly Instance[];
  /** Whether a request would start one: some revision was ready once. */
  readonly startable: boolean;
}

export function InstanceTiles({ instances, startable }: InstanceTilesProps) {
  const now = useNow();
  const shown = instances.filter(
    (instance) => isLive(instance) || now - Date.parse(instance.endedAt ?? instance.createdAt) < LINGER_MS,
  );
  if (shown.length === 0) {
    return (
      <div className="flex min-h-24 items-center justify-center gap-3 rounded-xl border border-dashed border-line text-ink-2">
        <Moon aria-hidden className="size-4 text-ink-3" />
        <p>
          {startable
            ? 'At zero. The next request starts one, and waits for it.'
            : 'None runs: no revision has become ready yet.'}
        </p>
      </div>
    );
  }
  return (
    <ul aria-label="Instances" className="grid min-h-24 grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] gap-3">
      {shown.map((instance) => (
        <Tile key={instance.id} instance={instance} now={now} />
      ))}
    </ul>
  );
}
