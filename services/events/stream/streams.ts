import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Problem } from '@skyrun/contracts';
import type { Caller, Clock, Logger } from '@skyrun/kit';
import { findPlace, type Place, type PlaceDeps } from '../feed/place.ts';
import { isWanted, type LiveFilter } from '../query/filter.ts';
import type { LoggedEvent, LogRange } from '../store/read.ts';
import { eventFrame, openingFrame, placeFrame, problemFrame } from './frame.ts';

const PAGE = 200;
const HEARTBEAT_MS = 15_000;
/** A client that does not even take the goodbye is cut after so long. */
const GOODBYE_MS = 20_000;
/** Token life beyond what a timer can count is looked at again after this. */
const MAX_TIMER_MS = 86_400_000;

export interface StreamsOptions extends PlaceDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events that may wait for a client that is live before it counts as too slow. */
  readonly maxBacklog: number;
  readonly read: (range: LogRange) => Promise<LoggedEvent[]>;
}

export interface StreamRequest {
  readonly response: ServerResponse;
  readonly caller: Caller;
  readonly filter: LiveFilter;
  /** Where the client goes on, as it gave it; undefined: from now. */
  readonly after: string | undefined;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** The server-sent streams of one process. */
export interface Streams {
  /** Resolves when the stream has ended; rejects, before anything is written, when it cannot begin. */
  serve(request: StreamRequest): Promise<void>;
  /** From the tail of the log, in order. */
  publish(events: readonly LoggedEvent[]): void;
  /** Ends all of them; clients come back with their place. */
  close(): void;
}

/**
 *   missed events ──read page by page, as fast as the client takes them──► live ──tail──► queue ──► client
 *
 * A stream becomes live in the same turn in which it has read up to where the tail stands, so nothing is missing and
 * nothing comes twice. What a client has missed waits in the log and costs no memory; what waits while it is live is bounded.
 */
export function createStreams(options: StreamsOptions): Streams {
  const { clock, logger } = options;
  const open = new Set<OpenStream>();

  async function serve({ response, caller, filter, after, signal }: StreamRequest): Promise<void> {
    const place = after === undefined ? null : await findPlace(options, after, filter.project);
    const stream = openStream(options, { response, filter, place, signal });
    open.add(stream);
    const cancelExpiry = watchExpiry(caller, () =>
      stream.end('closing', new Problem('auth.invalid_token', { detail: 'the token has expired; refresh it' })),
    );
    try {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      response.write(openingFrame(place?.after ?? options.livePosition()));
      if (after !== undefined && place?.complete !== true) response.write(problemFrame('gap', lostPlace()));
      const goodbye = await stream.run();
      if (goodbye) response.write(goodbye);
      response.end();
      const cancelCut = clock.setTimeout(GOODBYE_MS, () => response.destroy());
      response.once('close', cancelCut);
    } catch (error) {
      // The head is out: all that is left is to cut, and the client comes back with its place.
      if (!signal.aborted) logger.error({ error }, 'event stream failed');
      response.destroy();
    } finally {
      cancelExpiry();
      open.delete(stream);
    }
  }

  function watchExpiry(caller: Caller, expire: () => void): () => void {
    let cancel: () => void = () => undefined;
    const look = () => {
      const leftMs = caller.expiresAt - clock.now();
      if (leftMs <= 0) expire();
      else cancel = clock.setTimeout(Math.min(leftMs, MAX_TIMER_MS), look);
    };
    look();
    return () => cancel();
  }

  return {
    serve,
    publish(events) {
      for (const stream of open) stream.push(events);
    },
    close() {
      const problem = new Problem('platform.unavailable', { detail: 'the service stops; connect again' });
      for (const stream of open) stream.end('closing', problem);
    },
  };
}

function lostPlace(): Problem {
  return new Problem('resource.not_found', { detail: 'events after this place are not kept; read the history' });
}

interface OpenStream {
  push(events: readonly LoggedEvent[]): void;
  end(name: 'too-slow' | 'closing', problem: Problem): void;
  /** Resolves with the last frame, or null when the client has gone. */
  run(): Promise<string | null>;
}

interface StreamParts {
  readonly response: ServerResponse;
  readonly filter: LiveFilter;
  readonly place: Place | null;
  readonly signal: AbortSignal;
}

function openStream(
  { livePosition, read, clock, maxBacklog }: StreamsOptions,
  { response, filter, place, signal }: StreamParts,
): OpenStream {
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal]);
  let queue: LoggedEvent[] = [];
  let live = place === null;
  let goodbye: string | null = null;
  let wake: () => void = () => undefined;

  const end: OpenStream['end'] = (name, problem) => {
    if (over.aborted) return;
    goodbye = problemFrame(name, problem);
    queue = [];
    ended.abort();
    wake();
  };

  async function write(frame: string): Promise<void> {
    if (!response.write(frame)) await once(response, 'drain', { signal: over });
  }

  async function catchUp(from: bigint): Promise<void> {
    let at = from;
    while (!over.aborted) {
      const until = livePosition();
      if (at >= until) {
        live = true;
        return;
      }
      const events = await read({ after: at, until, project: filter.project, limit: PAGE });
      for (const { position, event } of events) {
        if (isWanted(filter, event)) await write(eventFrame(position, event));
      }
      at = events.length === PAGE ? (events.at(-1)?.position ?? until) : until;
      // With a narrow filter this may take long without an event.
      await write(placeFrame(at));
    }
  }

  async function followLive(): Promise<void> {
    while (!over.aborted) {
      const next = queue.shift();
      if (next) await write(eventFrame(next.position, next.event));
      else if (!(await something()) && queue.length === 0) await write(placeFrame(livePosition()));
    }
  }

  /** False after a silence. */
  function something(): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = clock.setTimeout(HEARTBEAT_MS, () => settle(false));
      const onAbort = () => settle(true);
      const settle = (result: boolean) => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        wake = () => undefined;
        resolve(result);
      };
      wake = () => settle(true);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    push(events) {
      if (!live || over.aborted) return;
      for (const logged of events) if (isWanted(filter, logged.event)) queue.push(logged);
      if (queue.length > maxBacklog) {
        end('too-slow', new Problem('feed.too_slow', { detail: `${queue.length} events wait; connect again` }));
      } else if (queue.length > 0) wake();
    },
    end,
    async run() {
      try {
        if (place) await catchUp(place.after);
        await followLive();
      } catch (error) {
        if (!over.aborted) throw error;
      }
      return signal.aborted ? null : goodbye;
    },
  };
}
