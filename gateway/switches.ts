/**
 * What Node runs a gateway process with, as its benchmark measured it:
 *
 * - all of V8's collecting on the one thread that serves;
 * - a young generation that grows to 8 MiB under load, in which short-lived heads die without being copied, and shrinks when
 *   the load has gone;
 * - everything begins in it: V8, which puts what once outlived a collection into the old generation from then on, took heads
 *   that all differ for such, and the heap grew to 150 MiB between two collections where it has 46 now;
 * - V8's middle compiler after 5,000 calls, which load reaches within a second, and not after 400, which two thousand
 *   connections without load reach: what it works with lies between what sockets allocate meanwhile, and they keep it in
 *   pieces, 4 to 8 MiB;
 * - no context that follows asynchronous calls (`AsyncLocalStorage`), which nothing in a gateway asks for and Node sets for
 *   each read and write, 0.6 µs a request with 512 connections;
 * - one thread that compiles, and not four, which share the core of the one that serves where there is no other
 *   (`compilers.ts`);
 * - `gc()`, by which a quiet gateway gives back what it does not need (`memory/trim.ts`).
 */
export const GATEWAY_SWITCHES: readonly string[] = [
  '--single-threaded-gc',
  '--max-semi-space-size=8',
  '--no-allocation-site-pretenuring',
  '--invocation-count-for-maglev=5000',
  '--no-async-context-frame',
  '--v8-pool-size=1',
  '--expose-gc',
];

/**
 * What the C library's allocator is told by the environment of a gateway process: one arena for all threads, of which the few
 * beside the one that serves allocate little and would each keep what they freed, and the top given back from 128 KiB on.
 * Without, the mapped size at which memory is returned grows with what was ever freed.
 */
export const GATEWAY_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
