import type { Clock, Logger } from '@skyrun/kit';
import { createMerge } from '../../logs/merge.ts';
import { watchEngine } from '../docker/watch.ts';
import type { RuntimeChange } from '../runtime.ts';
import type { Engines } from './engines.ts';

interface WatchOptions {
  readonly installation: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Engines that are down do not hold up the others for longer. */
const CONNECTED_WITHIN_MS = 2_000;
const NODES_EVERY_MS = 1_000;

/** What every engine tells of our containers, and that a node came or went: then anything may have happened. */
export async function* watchSwarm(
  engines: Engines,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncIterable<RuntimeChange> {
  const { clock } = options;
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const merge = createMerge<RuntimeChange>();
  let left = engines.all.length;
  const connected = Promise.withResolvers<void>();
  for (const docker of engines.all) {
    const changes = async function* () {
      let first = true;
      for await (const change of watchEngine(docker, options, stop)) {
        if (first && --left === 0) connected.resolve();
        if (!first || left <= 0) yield change;
        first = false;
      }
    };
    merge.add(changes());
  }
  stop.addEventListener('abort', () => merge.end(), { once: true });
  await Promise.race([connected.promise, clock.sleep(CONNECTED_WITHIN_MS, stop).catch(() => undefined)]);
  merge.add(watchNodes(engines, options, stop));
  try {
    yield { instanceId: null };
    yield* merge;
  } finally {
    over.abort();
  }
}

/** Asked for, not told: a manager's events of nodes are lost with the connection to it. */
async function* watchNodes(
  engines: Engines,
  { clock }: WatchOptions,
  signal: AbortSignal,
): AsyncIterable<RuntimeChange> {
  let before = '';
  while (!signal.aborted) {
    try {
      const nodes = await engines.nodes();
      const now = [...nodes.values()].map(({ ID, Status }) => `${ID} ${Status.State}`).join();
      if (before !== '' && now !== before) yield { instanceId: null };
      before = now;
    } catch {
      // The manager is away, which its own watch tells; what happened meanwhile is a change of anything.
      before = 'away';
    }
    await clock.sleep(NODES_EVERY_MS, signal).catch(() => undefined);
  }
}
