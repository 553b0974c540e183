import type { CanaryPolicy, RevisionObservation, RolloutPolicy } from '@skyrun/contracts';

export interface RolloutPosition {
  /** Index into the policy's steps. */
  readonly step: number;
  /** Unix milliseconds. */
  readonly stepSince: number;
}

/** What gateways counted of both since the rollout began; null when nobody could say. */
export interface RolloutObservations {
  readonly before: RevisionObservation;
  readonly candidate: RevisionObservation;
}

export interface RolloutVerdict {
  readonly verdict: 'hold' | 'advance' | 'complete' | 'roll back';
  /** Of the new revision, from now on. */
  readonly percent: number;
  readonly sentence: string;
}

/** One-sided 95 %. */
const Z = 1.645;
/** One bad answer of the first few is no proof, whatever the formula makes of it. */
const ERRORS_THAT_PROVE = 5;

/**
 * Whether a rollout moves on. It goes back as soon as the new revision's rate of errors is certainly (95 %) higher than the
 * old one's by more than the policy allows, or its p95 latency is; it moves on when the step's time is over and neither
 * looks worse; otherwise it holds, with the reason. Pure.
 */
export function decideRollout(
  policy: RolloutPolicy,
  position: RolloutPosition,
  seen: RolloutObservations | null,
  now: number,
): RolloutVerdict {
  const { steps, canary } = policy;
  const current = steps[position.step] ?? { percent: 100, seconds: 0 };
  const hold = (sentence: string): RolloutVerdict => ({ verdict: 'hold', percent: current.percent, sentence });
  const judged = canary === undefined ? null : judge(canary, seen);
  if (judged?.kind === 'bad') return { verdict: 'roll back', percent: 0, sentence: judged.sentence };

  const leftMs = position.stepSince + current.seconds * 1000 - now;
  const at = `${current.percent} % to the new revision`;
  if (leftMs > 0) {
    return hold(`${at} for ${Math.ceil(leftMs / 1000)} s more${judged === null ? '' : `: ${judged.sentence}`}`);
  }
  if (judged?.kind === 'wait') return hold(`${at}: ${judged.sentence}`);
  const next = steps[position.step + 1];
  const why = judged === null ? `${current.seconds} s at ${current.percent} % are over` : judged.sentence;
  if (next === undefined)
    return { verdict: 'complete', percent: 100, sentence: `All traffic to the new revision: ${why}` };
  return { verdict: 'advance', percent: next.percent, sentence: `${next.percent} % to the new revision: ${why}` };
}

interface Judgement {
  readonly kind: 'good' | 'bad' | 'wait';
  readonly sentence: string;
}

function judge(canary: CanaryPolicy, seen: RolloutObservations | null): Judgement {
  if (seen === null) return { kind: 'wait', sentence: 'what gateways see cannot be read just now' };
  const { before, candidate } = seen;
  const errors = judgeErrors(canary, before, candidate);
  // So many errors prove it before the quota of requests is reached.
  const enough = candidate.requests >= canary.minRequests || candidate.errors >= ERRORS_THAT_PROVE;
  if (errors.kind === 'bad' && enough) return errors;
  if (candidate.requests < canary.minRequests) {
    const sentence = `it answered ${candidate.requests} of the ${canary.minRequests} requests that it is judged by`;
    return { kind: canary.tooFewRequests === 'wait' ? 'wait' : 'good', sentence };
  }
  const latency = judgeLatency(canary, before, candidate);
  if (latency?.kind === 'bad') return latency;
  if (errors.kind === 'wait') return errors;
  return { kind: 'good', sentence: latency === null ? errors.sentence : `${errors.sentence}, ${latency.sentence}` };
}

function judgeErrors(
  { maxErrorIncrease }: CanaryPolicy,
  before: RevisionObservation,
  candidate: RevisionObservation,
): Judgement {
  const allowed = rate(before) + maxErrorIncrease / 100;
  const compared = `${percent(rate(candidate))} of its ${candidate.requests} answers failed, of the old revision’s ${percent(rate(before))}`;
  if (wilsonLower(candidate.errors, candidate.requests) > allowed) {
    return { kind: 'bad', sentence: `${compared}: more than ${maxErrorIncrease} points worse` };
  }
  if (rate(candidate) > allowed) return { kind: 'wait', sentence: `${compared}: too few to be sure` };
  return { kind: 'good', sentence: compared };
}

function judgeLatency(
  { maxLatencyRatio, minLatencyIncreaseMs }: CanaryPolicy,
  before: RevisionObservation,
  candidate: RevisionObservation,
): Judgement | null {
  if (before.p95Ms === null || candidate.p95Ms === null) return null;
  const compared = `its p95 is ${candidate.p95Ms} ms, the old revision’s ${before.p95Ms} ms`;
  const worse =
    candidate.p95Ms > before.p95Ms * maxLatencyRatio && candidate.p95Ms - before.p95Ms > minLatencyIncreaseMs;
  return worse
    ? { kind: 'bad', sentence: `${compared}: more than ${maxLatencyRatio} times` }
    : { kind: 'good', sentence: compared };
}

function rate({ requests, errors }: RevisionObservation): number {
  return requests === 0 ? 0 : errors / requests;
}

/** Lower bound of a proportion: Wilson, E. B. (1927), “Probable inference, the law of succession, and statistical inference”. */
export function wilsonLower(hits: number, total: number): number {
  if (total === 0) return 0;
  const share = hits / total;
  const square = (Z * Z) / total;
  const centre = share + square / 2;
  const spread = Z * Math.sqrt((share * (1 - share)) / total + square / (4 * total));
  return Math.max(0, (centre - spread) / (1 + square));
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
