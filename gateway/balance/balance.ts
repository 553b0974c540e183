/** What balancing looks at. */
export interface Candidate {
  readonly inFlight: number;
  /** Takes new requests: ready, not draining. */
  readonly ready: boolean;
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
  options: { cap: number; now: number; offset: number; random: () => number; except?: C | null },
): C | null {
  const { cap, now, random, except = null } = options;
  const count = candidates.length;
  const fits = (candidate: C) =>
    candidate.ready && candidate !== except && (cap === 0 || candidate.inFlight < cap) && candidate.admits(now);

  if (count > SCAN_LIMIT) {
    const a = candidates[Math.floor(random() * count)];
    const b = candidates[Math.floor(random() * count)];
    const fitA = a !== undefined && fits(a);
    const fitB = b !== undefined && fits(b);
    if (fitA && fitB) return a.inFlight <= b.inFlight ? a : b;
    if (fitA) return a;
    if (fitB) return b;
    // Both full or broken: only a look at all can tell that no room is left.
  }
  let best: C | null = null;
  for (let step = 0; step < count; step += 1) {
    const candidate = candidates[(options.offset + step) % count];
    if (candidate === undefined || !fits(candidate)) continue;
    if (best === null || candidate.inFlight < best.inFlight) {
      best = candidate;
      if (best.inFlight === 0) break;
    }
  }
  return best;
}
