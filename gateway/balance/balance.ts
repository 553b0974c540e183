/** What balancing looks at. */
export interface Candidate {
  readonly inFlight: number;
  /** Takes new requests: ready, not draining. */
  readonly ready: boolean;
  /** Monotonic ms at which it came; with slow start its share grows from then on. */
  readonly since: number;
  /** May be tried now as far as its failures go. */
  admits(now: number): boolean;
}

/** Above this many candidates two are drawn at random instead of looking at all (power of two choices). */
const SCAN_LIMIT = 16;

/**
 * The candidate with the fewest requests in flight that has room, or null. `cap` is a hard limit per candidate, 0 is
 * none. Ties go to the first at or after `offset`, so a caller that moves it on spreads equal load evenly.
 */
export function leastInFlight<C extends Candidate>(
  candidates: readonly C[],
  options: {
    cap: number;
    now: number;
    offset: number;
    random: () => number;
    except?: C | null;
    /** Over how long a new candidate is brought up to its share, in ms; 0 or absent: at once. */
    slowStartMs?: number;
  },
): C | null {
  const { slowStartMs = 0 } = options;
  const { cap, now, random, except = null } = options;
  const count = candidates.length;
  const fits = (candidate: C) =>
    candidate.ready && candidate !== except && (cap === 0 || candidate.inFlight < cap) && candidate.admits(now);

  if (count > SCAN_LIMIT) {
    const a = candidates[Math.floor(random() * count)];
    const b = candidates[Math.floor(random() * count)];
    const fitA = a !== undefined && fits(a);
    const fitB = b !== undefined && fits(b);
    if (fitA && fitB) return load(a, now, slowStartMs) <= load(b, now, slowStartMs) ? a : b;
    if (fitA) return a;
    if (fitB) return b;
    // Both full or broken: only a look at all can tell that no room is left.
  }
  let best: C | null = null;
  let least = 0;
  for (let step = 0; step < count; step += 1) {
    const candidate = candidates[(options.offset + step) % count];
    if (candidate === undefined || !fits(candidate)) continue;
    const its = load(candidate, now, slowStartMs);
    if (best === null || its < least) {
      best = candidate;
      least = its;
      if (least === 0) break;
    }
  }
  return best;
}

/** A candidate gets at least this part of its share from the beginning, so that it is tried at all. */
const FIRST_SHARE = 0.1;

/**
 * Requests in flight; while it warms up, one more divided by the part of its share that it has reached, so that one at a
 * tenth of its share gets its first request when the others have ten (as Envoy's slow start weighs).
 */
function load(candidate: Candidate, now: number, slowStartMs: number): number {
  if (slowStartMs === 0) return candidate.inFlight;
  const part = Math.min(1, Math.max(FIRST_SHARE, (now - candidate.since) / slowStartMs));
  return (candidate.inFlight + 1) / part - 1;
}
