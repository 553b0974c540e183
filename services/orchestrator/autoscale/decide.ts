import type { ScalePolicy } from './policy.ts';

/** What was measured, and what the last decision left behind. */
export interface ScaleWindow {
  /** Mean concurrency, waiting requests included, over the stable window; null when nothing was measured yet. */
  readonly stable: number | null;
  readonly panic: number | null;
  readonly ready: number;
  /** What the last decision wanted. */
  readonly wanted: number;
  /** A request waits and there is no instance for it. */
  readonly waiting: boolean;
  /** Unix milliseconds of the last sign of a request, or of the first instance's readiness. */
  readonly lastActiveAt: number;
  /** False while too little was measured since a restart to take anything away. */
  readonly settled: boolean;
  readonly memory: ScaleMemory;
}

export interface ScaleMemory {
  /** When the panic threshold was last exceeded; null outside of panic. */
  readonly panicAt: number | null;
  /** The most that was wanted during this panic. */
  readonly panicPeak: number;
  /** Wants of the scale-down delay, oldest first, each higher than those after it. */
  readonly delayed: readonly { readonly at: number; readonly wanted: number }[];
}

export const CALM: ScaleMemory = { panicAt: null, panicPeak: 0, delayed: [] };

/** What bounded the want, if anything did. */
export type Limiter =
  | 'none'
  | 'minScale'
  | 'maxScale'
  | 'scaleUpRate'
  | 'scaleDownRate'
  | 'panic'
  | 'scaleDownDelay'
  | 'scaleToZeroGrace'
  | 'unsettled'
  | 'activation';

export interface Verdict {
  readonly wanted: number;
  readonly memory: ScaleMemory;
  readonly limiter: Limiter;
  readonly panicking: boolean;
  /** Every input that led here, for the record. */
  readonly inputs: Readonly<Record<string, number | string | boolean | null>>;
  readonly sentence: string;
}

/**
 * Knative's KPA (pkg/autoscaler/scaling/autoscaler.go): as many instances as the mean concurrency of the stable
 * window needs; of the panic window while it asks for `panicThreshold` times what is ready, and then never fewer
 * until a whole stable window passed without. Pure.
 */
export function decide(policy: ScalePolicy, window: ScaleWindow, now: number): Verdict {
  const base = Math.max(1, window.ready);
  const highest = Math.ceil(policy.maxScaleUpRate * base);
  const lowest = window.ready === 0 ? 0 : Math.floor(base / policy.maxScaleDownRate);
  const need = (concurrency: number | null) => Math.ceil(round(concurrency ?? 0) / policy.target);
  const stableNeed = need(window.stable);
  const panicNeed = need(window.panic);
  const rated = (wanted: number) => Math.min(Math.max(wanted, lowest), highest);

  const over = panicNeed / base >= policy.panicThreshold;
  const { panicAt, panicking } = panicState(window.memory.panicAt, over, policy.stableWindowMs, now);
  const peak = panicking ? Math.max(window.memory.panicPeak, rated(panicNeed), rated(stableNeed)) : 0;

  let limiter: Limiter = 'none';
  const limit = (value: number, by: Limiter, bounded: number) => {
    if (bounded !== value) limiter = by;
    return bounded;
  };
  const asked = panicking ? Math.max(panicNeed, stableNeed) : stableNeed;
  let wanted = limit(asked, asked > highest ? 'scaleUpRate' : 'scaleDownRate', rated(asked));
  if (panicking) wanted = limit(wanted, 'panic', Math.max(wanted, peak));

  const delayed = remember(window.memory.delayed, wanted, policy.scaleDownDelayMs, now);
  wanted = limit(wanted, 'scaleDownDelay', Math.max(wanted, delayed[0]?.wanted ?? 0));

  const idleMs = Math.max(0, now - window.lastActiveAt);
  const held = window.wanted > 0 && idleMs < policy.scaleToZeroGraceMs;
  if (!window.settled) wanted = limit(wanted, 'unsettled', Math.max(wanted, window.wanted));
  if (held) wanted = limit(wanted, 'scaleToZeroGrace', Math.max(wanted, 1));
  if (window.waiting) wanted = limit(wanted, 'activation', Math.max(wanted, 1));
  wanted = limit(wanted, 'minScale', Math.max(wanted, policy.minScale));
  wanted = limit(wanted, 'maxScale', Math.min(wanted, policy.maxScale));

  const inputs = {
    stableConcurrency: window.stable === null ? null : round(window.stable),
    panicConcurrency: window.panic === null ? null : round(window.panic),
    target: round(policy.target),
    ready: window.ready,
    stableNeed,
    panicNeed,
    panicking,
    waiting: window.waiting,
    idleMs,
    minScale: policy.minScale,
    maxScale: policy.maxScale,
    limiter: limiter as Limiter,
  };
  const sentence = explain(window, wanted, { ...inputs, limiter });
  return { wanted, memory: { panicAt, panicPeak: peak, delayed }, limiter, panicking, inputs, sentence };
}

function panicState(panicAt: number | null, over: boolean, stableWindowMs: number, now: number) {
  if (over) return { panicAt: now, panicking: true };
  if (panicAt !== null && now - panicAt < stableWindowMs) return { panicAt, panicking: true };
  return { panicAt: null, panicking: false };
}

/** A sliding maximum: keeps only wants that may still be the highest of the window. */
function remember(delayed: ScaleMemory['delayed'], wanted: number, delayMs: number, now: number) {
  if (delayMs === 0) return [];
  const kept = delayed.filter((entry) => now - entry.at < delayMs && entry.wanted > wanted);
  return [...kept, { at: now, wanted }];
}

/** Mean concurrencies are sums of floats; without this 70.00000000000001 of target 70 would ask for two. */
function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

const shown = (value: number) => String(Math.round(value * 10) / 10);

interface Reasons {
  readonly stableConcurrency: number | null;
  readonly panicConcurrency: number | null;
  readonly target: number;
  readonly panicking: boolean;
  readonly idleMs: number;
  readonly limiter: Limiter;
}

function explain(window: ScaleWindow, wanted: number, reasons: Reasons): string {
  const { panicking, limiter, target, idleMs } = reasons;
  const measured = panicking ? reasons.panicConcurrency : reasons.stableConcurrency;
  const concurrency = `concurrency ${shown(measured ?? 0)} of target ${shown(target)} per instance`;
  const change = `${window.wanted} → ${wanted}:`;
  if (limiter === 'activation') return `${change} a request waits and no instance is ready`;
  if (wanted === 0) return `${change} no request for ${Math.round(idleMs / 1000)} s`;
  const why: Record<Limiter, string> = {
    none: panicking ? ', panic' : '',
    minScale: ', held up by minScale',
    maxScale: ', held down by maxScale',
    scaleUpRate: ', limited by the scale-up rate',
    scaleDownRate: ', limited by the scale-down rate',
    panic: ', panic: none is taken away',
    scaleDownDelay: ', scale-down waits for its delay',
    scaleToZeroGrace: ', the last one stays for its grace',
    unsettled: ', measuring again after a restart',
    activation: '',
  };
  return `${change} ${concurrency}${why[limiter]}`;
}
