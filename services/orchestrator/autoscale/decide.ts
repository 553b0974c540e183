import type { MetricWant } from '@skyrun/contracts';
import type { ScalePolicy } from './policy.ts';
import { type Signal, signalWant } from './signals.ts';

/** What was measured, and what the last decision left behind. */
export interface ScaleWindow {
  /**
   * Of the whole revision over the stable window, by the policy's metric: mean concurrency, waiting requests included, or
   * requests per second; null when nothing was measured yet.
   */
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
  /** Further metrics. */
  readonly signals: readonly Signal[];
  /** Wants that nothing that is measured asks for: of a schedule, of a prediction. They hold like `minScale`. */
  readonly floors: readonly MetricWant[];
  /** When the wanted number last changed; 0 for never. */
  readonly changedAt: number;
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
  | 'activation'
  | 'schedule'
  | 'prediction';

export interface Verdict {
  readonly wanted: number;
  readonly memory: ScaleMemory;
  readonly limiter: Limiter;
  readonly panicking: boolean;
  /** What each metric asks for, the one that Knative knows first. */
  readonly wants: readonly MetricWant[];
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
  const need = (measured: number | null) => {
    const needed = Math.ceil(round(measured ?? 0) / policy.target);
    return needed > 0 ? Math.max(needed, policy.activationScale) : 0;
  };
  const stableNeed = need(window.stable);
  const panicNeed = need(window.panic);
  const rated = (wanted: number) => Math.min(Math.max(wanted, lowest), highest);

  const over = panicNeed / base >= policy.panicThreshold;
  const { panicAt, panicking } = panicState(window.memory.panicAt, over, policy.stableWindowMs, now);

  let limiter: Limiter = 'none';
  const limit = (value: number, by: Limiter, bounded: number) => {
    if (bounded !== value) limiter = by;
    return bounded;
  };
  const own = panicking ? Math.max(panicNeed, stableNeed) : stableNeed;
  const measured = panicking ? window.panic : window.stable;
  const context = { ready: window.ready, active: (window.stable ?? 0) > 0, changedAt: window.changedAt };
  const wants: MetricWant[] = [
    {
      metric: policy.metric,
      value: measured === null ? null : round(measured),
      target: round(policy.target),
      want: own,
    },
    ...window.signals.map((signal) => signalWant(signal, context, now)),
  ];
  const asked = Math.max(...wants.map(({ want }) => want ?? 0));
  let wanted = limit(asked, asked > highest ? 'scaleUpRate' : 'scaleDownRate', rated(asked));
  const peak = panicking ? Math.max(window.memory.panicPeak, rated(panicNeed), rated(asked)) : 0;
  if (panicking) wanted = limit(wanted, 'panic', Math.max(wanted, peak));

  const delayed = remember(window.memory.delayed, wanted, policy.scaleDownDelayMs, now);
  wanted = limit(wanted, 'scaleDownDelay', Math.max(wanted, delayed[0]?.wanted ?? 0));

  const idleMs = Math.max(0, now - window.lastActiveAt);
  const held = window.wanted > 0 && idleMs < policy.scaleToZeroGraceMs;
  if (!window.settled) wanted = limit(wanted, 'unsettled', Math.max(wanted, window.wanted));
  if (held) wanted = limit(wanted, 'scaleToZeroGrace', Math.max(wanted, 1));
  if (window.waiting) wanted = limit(wanted, 'activation', Math.max(wanted, 1));
  wanted = limit(wanted, 'minScale', Math.max(wanted, policy.minScale));
  for (const { metric, want } of window.floors) {
    wanted = limit(wanted, metric === 'schedule' ? 'schedule' : 'prediction', Math.max(wanted, want ?? 0));
  }
  wanted = limit(wanted, 'maxScale', Math.min(wanted, policy.maxScale));

  const inputs = {
    metric: policy.metric,
    stable: window.stable === null ? null : round(window.stable),
    panic: window.panic === null ? null : round(window.panic),
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
  const all = [...wants, ...window.floors];
  const sentence = explain(window, wanted, { wants: all, panicking, idleMs, limiter });
  return { wanted, memory: { panicAt, panicPeak: peak, delayed }, limiter, panicking, wants: all, inputs, sentence };
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
  readonly wants: readonly MetricWant[];
  readonly panicking: boolean;
  readonly idleMs: number;
  readonly limiter: Limiter;
}

/** One sentence: what was measured of the metric that asks for most, and what bounded it. */
function explain(window: ScaleWindow, wanted: number, reasons: Reasons): string {
  const { panicking, limiter, idleMs, wants } = reasons;
  const change = `${window.wanted} → ${wanted}:`;
  if (limiter === 'activation') return `${change} a request waits and no instance is ready`;
  if (wanted === 0 && window.lastActiveAt === 0) return `${change} no request so far`;
  if (wanted === 0) return `${change} no request for ${Math.round(idleMs / 1000)} s`;
  const floor = wants.find(({ metric }) => metric === limiter);
  if (floor?.metric === 'schedule') return `${change} a schedule keeps at least ${floor.target} (${floor.note ?? ''})`;
  const measured = wants.filter(({ metric }) => metric !== 'schedule' && metric !== 'prediction');
  const strongest = measured.reduce<MetricWant | undefined>(
    (most, one) => (most === undefined || (one.want ?? 0) > (most.want ?? 0) ? one : most),
    undefined,
  );
  if (floor)
    return `${change} ${shown(floor.value ?? 0)} are expected soon, of target ${shown(floor.target)} per instance`;
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
    schedule: '',
    prediction: '',
  };
  return `${change} ${strongest ? said(strongest) : 'nothing is measured'}${why[limiter]}`;
}

const UNITS: Readonly<Record<string, string>> = { cpu: ' %', memory: ' %', latency: ' ms' };
const NAMES: Readonly<Record<string, string>> = { cpu: 'CPU', rps: 'requests per second', latency: 'p95 latency' };

function said({ metric, value, target }: MetricWant): string {
  const unit = UNITS[metric] ?? '';
  const name = NAMES[metric] ?? (metric.startsWith('custom:') ? metric.slice('custom:'.length) : metric);
  return `${name} ${shown(value ?? 0)}${unit} of target ${shown(target)}${unit}${unit === ' ms' ? '' : ' per instance'}`;
}
