/** Numbers in [0, 1). */
export type Random = () => number;

/** Numbers that follow from a seed: Tommy Ettinger's mulberry32, whose state of 32 bits is enough for what is simulated here. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Of an exponential distribution (inverse of its distribution function): the time until the next of events that come independently. */
export const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;
