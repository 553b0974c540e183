import type { Service } from '@skyrun/contracts';
import { classNames } from './class-names.ts';

const MAX_LIGHTS = 12;

type Counts = Service['status']['instances'];

/** One light per instance that may be: lit when ready, pulsing while it starts, amber while it drains, else dark. */
export function lightsOf(
  { ready, starting, draining }: Counts,
  maxScale: number,
): ('ready' | 'starting' | 'draining' | 'off')[] {
  const room = Math.min(MAX_LIGHTS, Math.max(maxScale, ready + starting + draining));
  return Array.from({ length: room }, (_, index) => {
    if (index < ready) return 'ready';
    if (index < ready + starting) return 'starting';
    return index < ready + starting + draining ? 'draining' : 'off';
  });
}

const LIGHT = {
  ready: 'bg-ok shadow-[0_0_6px_-1px_var(--ok)]',
  starting: 'bg-accent animate-pulse-slow',
  draining: 'bg-warn',
  off: 'bg-line',
} as const;

/** Skyrun's sign: a row of slanted lights, one per instance. Decoration: the figures stand beside it as text. */
export function Runway({ counts, maxScale, className }: { counts: Counts; maxScale: number; className?: string }) {
  return (
    <span aria-hidden className={classNames('flex h-4 items-end gap-[3px]', className)}>
      {lightsOf(counts, maxScale).map((light, index) => (
        <span
          key={`light-${index.toString()}`}
          className={classNames('h-full w-1.5 -skew-x-12 rounded-[2px] transition-colors duration-300', LIGHT[light])}
        />
      ))}
    </span>
  );
}
