import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'muted';

const GROUND: Readonly<Record<Tone, string>> = {
  ok: 'bg-ok-soft text-ok-ink',
  warn: 'bg-warn-soft text-warn-ink',
  bad: 'bg-bad-soft text-bad-ink',
  accent: 'bg-accent-soft text-accent-ink',
  muted: 'bg-sunken text-ink-2',
};

const DOT: Readonly<Record<Tone, string>> = {
  ok: 'bg-ok',
  warn: 'bg-warn',
  bad: 'bg-bad',
  accent: 'bg-accent',
  muted: 'bg-line-strong',
};

/** A state in one word; the dot pulses while it is on its way to another. */
export function Pill({ tone, moving = false, children }: { tone: Tone; moving?: boolean; children: ReactNode }) {
  return (
    <span
      className={classNames(
        'inline-flex h-6 items-center gap-1.5 rounded-full px-2.5 text-xs font-medium whitespace-nowrap',
        GROUND[tone],
      )}
    >
      <span aria-hidden className={classNames('size-1.5 rounded-full', DOT[tone], moving && 'animate-pulse-slow')} />
      {children}
    </span>
  );
}
