import { FEED_HEARTBEAT_MS, OPERATIONS, type Route } from '@skyrun/contracts';
import { backoff, type Client, type Clock, createTicker, type Logger } from '@skyrun/kit/base';
import { type FeedPosition, follow, type RouteChange, routeSnapshot } from './feed-state.ts';
import { keep, readKept } from './kept.ts';

const SAVE_EVERY_MS = 1000;
const FIRST_CONNECT_WAIT_MS = 3000;

export interface RouteFeed {
  /** Resolves once routes are known, from the registry or from disk, or after a short wait without either. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The registry is heard. */
  live(): boolean;
  /** Routes are known, from wherever. */
  known(): boolean;
}

/**
 * Follows the registry's routes for as long as the gateway lives.
 *
 *   disk ──► following ──silent, ended, refused──► waiting (jittered) ──► following (from where it stood)
 *              │ a frame that does not follow on ──► following (from nothing)
 *
 * What it has stays in force while the registry is away.
 */
export function createRouteFeed(options: {
  client: Pick<Client, 'stream'>;
  path: string;
  clock: Clock;
  logger: Logger;
  apply: (change: RouteChange) => void;
  /** All routes in force, to write to disk. */
  routes: () => Route[];
}): RouteFeed {
  const { client, path, clock, logger, apply, routes } = options;
  const stopping = new AbortController();
  const delay = backoff({ baseMs: 100, maxMs: 2000 });
  let position: FeedPosition | null = null;
  let saved: FeedPosition | null = null;
  let live = false;
  let running: Promise<void> | undefined;
  let onFirst: () => void = () => undefined;

  const saver = createTicker({
    name: 'save routes',
    clock,
    logger,
    everyMs: SAVE_EVERY_MS,
    run: async () => {
      const at = position;
      if (at === null || at === saved) return;
      await keep(path, { ...at, routes: routes() });
      saved = at;
    },
  });

  async function followOnce(): Promise<void> {
    const silence = new AbortController();
    const signal = AbortSignal.any([stopping.signal, silence.signal]);
    const watch = () =>
      clock.setTimeout(FEED_HEARTBEAT_MS * 3, () => silence.abort(new Error('the route feed is silent')));
    let cancel = watch();
    try {
      const query = position === null ? {} : { epoch: position.epoch, version: position.version };
      for await (const frame of client.stream(OPERATIONS.followRoutes, { query, signal })) {
        cancel();
        cancel = watch();
        const step = follow(position, frame);
        if (step.change.kind === 'resync') {
          logger.info('the route feed does not follow on; asking for all routes');
          position = null;
          return;
        }
        position = step.position;
        apply(step.change);
        if (!live) logger.info({ version: frame.version }, 'following the registry');
        live = true;
        onFirst();
      }
    } finally {
      cancel();
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        await followOnce();
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (live || attempt === 1)
          logger.warn({ error }, 'the registry does not answer; going on with the routes I have');
      }
      if (live) attempt = 1;
      live = false;
      await clock.sleep(delay(attempt), stopping.signal).catch(() => undefined);
    }
  }

  return {
    async start() {
      if (running !== undefined || stopping.signal.aborted) return;
      const onDisk = await readKept(path, { what: 'routes', read: (value) => routeSnapshot.parse(value), logger });
      if (onDisk !== null) {
        position = { epoch: onDisk.epoch, version: onDisk.version };
        saved = position;
        apply({ kind: 'replace', routes: onDisk.routes });
        logger.info({ routes: onDisk.routes.length, version: onDisk.version }, 'routes read from disk');
      }
      const first = new Promise<void>((resolve) => {
        onFirst = resolve;
      });
      running = run();
      saver.start();
      if (onDisk === null)
        await Promise.race([first, clock.sleep(FIRST_CONNECT_WAIT_MS, stopping.signal).catch(() => undefined)]);
    },
    async stop() {
      stopping.abort(new Error('the gateway stops'));
      await running;
      saver.wake();
      await saver.stop();
    },
    live: () => live,
    known: () => position !== null,
  };
}
