import type { Rollout, RolloutDecision } from '@skyrun/contracts';
import { Ago } from '../components/ago.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill, type Tone } from '../components/pill.tsx';

const STATE: Readonly<Record<Rollout['state'], { tone: Tone; says: string }>> = {
  running: { tone: 'accent', says: 'Rolling out' },
  completed: { tone: 'ok', says: 'Completed' },
  'rolled-back': { tone: 'bad', says: 'Rolled back' },
  superseded: { tone: 'muted', says: 'Superseded' },
};

const DOT: Readonly<Record<RolloutDecision['verdict'], string>> = {
  started: 'bg-accent',
  advanced: 'bg-accent',
  completed: 'bg-ok',
  'rolled-back': 'bg-bad',
  superseded: 'bg-line-strong',
};

/** The way of the last rollout: each step and verdict with its reason. */
export function RolloutPanel({ rollout }: { rollout: Rollout }) {
  const { tone, says } = STATE[rollout.state];
  const running = rollout.state === 'running';
  return (
    <Panel
      title={`Rollout to ${rollout.toRevision}`}
      note={`from ${rollout.fromRevision}, in ${rollout.policy.steps.length + 1} steps${rollout.policy.canary === undefined ? '' : ', judged against it'}`}
      actions={
        <Pill tone={tone} moving={running}>
          {says}
        </Pill>
      }
    >
      <ol aria-label="Steps and verdicts" className="flex flex-col gap-3">
        {rollout.decisions.map(({ at, verdict, percent, sentence }) => (
          <li key={`${at} ${verdict}`} className="flex gap-3">
            <span aria-hidden className={`mt-1.5 size-2 shrink-0 rounded-full ${DOT[verdict]}`} />
            <span className="figures w-12 shrink-0 text-right font-semibold">{percent} %</span>
            <span className="min-w-0 flex-1 break-words text-ink-2">{sentence}</span>
            <Ago time={at} className="shrink-0 text-xs text-ink-3" />
          </li>
        ))}
        {running && (
          <li className="flex gap-3" aria-live="polite">
            <span aria-hidden className="mt-1.5 size-2 shrink-0 animate-pulse-slow rounded-full bg-accent" />
            <span className="w-12 shrink-0 text-right text-ink-3">now</span>
            <span className="min-w-0 flex-1 break-words text-ink-2">{rollout.sentence}</span>
          </li>
        )}
      </ol>
    </Panel>
  );
}
