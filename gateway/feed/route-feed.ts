import { FEED_HEARTBEAT_MS, gatewayCalls, type Route, unreadRouteFrame } from '@skyrun/contracts';
import { backoff, type Client, type Clock, type Logger } from '@skyrun/kit/base';
import { type FeedPosition, FrameParts, follow, type RouteChange } from './feed-state.ts';
import type { InvalidRoutes } from './invalid-routes.ts';
import { type InvalidRoute, readFrame } from './read-route.ts';
import { createRouteJournal } from './route-journal.ts';
import { createSlices, type Slices } from './slices.ts';

const FIRST_CONNECT_WAIT_MS = 3000;

/** Each route is looked at by itself. */
const FOLLOW = { ...gatewayCalls.followRoutes, response: unreadRouteFrame };

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
  /** Resolves when the change is in force. Long ones give requests their turn meanwhile. */
  apply: (change: RouteChange, slices: Slices) => Promise<void>;
  /** All routes in force, to write to disk. */
  routes: () => Iterable<Route>;
  /** The one of a host. */
  routeOf: (host: string) => Route | undefined;
  /** Keeps what could not be taken. */
  invalid: InvalidRoutes;
}): RouteFeed {
  const { client, path, clock, logger, apply, routes, routeOf, invalid } = options;
  const stopping = new AbortController();
  const delay = backoff({ baseMs: 100, maxMs: 2000 });
  let position: FeedPosition | null = null;
  let live = false;
  let running: Promise<void> | undefined;
  let onFirst: () => void = () => undefined;

  const journal = createRouteJournal({ path, routes, clock, logger });

  async function enter(at: FeedPosition, sent: RouteChange, unread: readonly InvalidRoute[]): Promise<void> {
    const slices = createSlices(clock);
    const change = invalid.settle(sent, unread, routeOf);
    const told = invalid.position(at);
    const entered = change.kind === 'change' ? journal.change(told, change.upserts, change.removes) : () => undefined;
    await apply(change, slices);
    entered();
    if (change.kind === 'replace') journal.replace(told);
  }

  async function followOnce(): Promise<void> {
    const silence = new AbortController();
    const signal = AbortSignal.any([stopping.signal, silence.signal]);
    const watch = () =>
      clock.setTimeout(FEED_HEARTBEAT_MS * 3, () => silence.abort(new Error('the route feed is silent')));
    let cancel = watch();
    const parts = new FrameParts();
    let unread: InvalidRoute[] = [];
    try {
      const query = position === null ? {} : { epoch: position.epoch, version: position.version };
      for await (const frame of client.stream(FOLLOW, { query, signal })) {
        cancel();
        cancel = watch();
        const read = readFrame(frame);
        unread.push(...read.invalid);
        const whole = parts.take(read.frame);
        if (whole === null) {
          // The next part may be there already, and requests are to have their turn before it.
          await createSlices(clock).pause();
          continue;
        }
        const step = follow(position, whole);
        if (step.change.kind === 'resync') {
          logger.info('the route feed does not follow on; asking for all routes');
          position = null;
          return;
        }
        // What takes long is no silence.
        cancel();
        if (step.position !== null) await enter(step.position, step.change, unread);
        unread = [];
        cancel = watch();
        position = step.position;
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
          logger.warn({ error }, 'the registry cannot be followed; going on with the routes I have');
      }
      if (live) attempt = 1;
      live = false;
      await clock.sleep(delay(attempt), stopping.signal).catch(() => undefined);
    }
  }

  return {
    async start() {
      if (running !== undefined || stopping.signal.aborted) return;
      const onDisk = await journal.read();
      if (onDisk !== null) {
        const all: RouteChange = { kind: 'replace', routes: [...onDisk.routes.values()] };
        await apply(invalid.settle(all, onDisk.invalid, routeOf), createSlices(clock));
        position = onDisk.position === null ? null : invalid.position(onDisk.position);
        logger.info({ routes: onDisk.routes.size, version: position?.version }, 'routes read from disk');
      }
      const first = new Promise<void>((resolve) => {
        onFirst = resolve;
      });
      running = run();
      journal.start();
      if (onDisk === null)
        await Promise.race([first, clock.sleep(FIRST_CONNECT_WAIT_MS, stopping.signal).catch(() => undefined)]);
    },
    async stop() {
      stopping.abort(new Error('the gateway stops'));
      await running;
      await journal.stop();
    },
    live: () => live,
    known: () => position !== null,
  };
}
