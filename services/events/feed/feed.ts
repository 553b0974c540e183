import type { Server as HttpServer } from 'node:http';
import { type AnyEvent, type FeedAnswer, fieldErrors, LIVE_FEED, Problem } from '@skyrun/contracts';
import { type Authenticator, type Caller, type Clock, type Logger, toProblem } from '@skyrun/kit';
import { Server } from 'socket.io';
import type { z } from 'zod';
import { encodeFeedCursor } from '../query/cursor.ts';
import type { LoggedEvent } from '../store/read.ts';
import { type CatchUpDeps, catchUp } from './catch-up.ts';
import { projectOf, roomOf, roomsFor, type Scope } from './coverage.ts';
import {
  acknowledgement,
  authenticateMessage,
  type FeedServer,
  type FeedSocket,
  handshakeAuth,
  subscribeMessage,
  unsubscribeMessage,
} from './messages.ts';
import { findPlace, type PlaceDeps } from './place.ts';
import { type FeedSession, isLive, mayHear } from './session.ts';

export interface FeedOptions extends CatchUpDeps, PlaceDeps {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Unsent messages that make a client too slow. */
  readonly maxBacklog: number;
  readonly maxReplay: number;
  readonly started: () => boolean;
}

export interface Feed {
  attach(server: HttpServer): void;
  /** From the tail of the log, in order. */
  publish(events: readonly LoggedEvent[]): void;
  /** Not sent to a client that is behind. */
  publishEphemeral(event: AnyEvent): void;
  connections(): number;
  close(): void;
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_SCOPES = 50;
/**
 * socket.io's own `volatile` drops whenever the transport is busy for a moment, so also the second of two events
 * that come together; a client counts as behind only from here.
 */
const MAX_EPHEMERAL_BACKLOG = 100;
const MAX_WAITING_TURNS = 100;
/** A client that does not even take the goodbye is cut after so long. */
const GOODBYE_MS = 20_000;

/** Token life beyond what a timer can count is looked at again after this. */
const MAX_TIMER_MS = 86_400_000;

export function createFeed(options: FeedOptions): Feed {
  const { authenticator, clock, logger } = options;
  const io: FeedServer = new Server({
    path: LIVE_FEED.path,
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
  });

  io.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => next(toRefusal(error)),
    );
  });
  io.on('connection', (socket) => {
    const { session } = socket.data;
    if (session) serve(socket, session);
    else socket.disconnect(true);
  });

  async function admit(socket: FeedSocket): Promise<void> {
    if (!options.started()) throw new Problem('platform.unavailable', { detail: 'the live feed is starting' });
    const auth = handshakeAuth.safeParse(socket.handshake.auth);
    if (!auth.success) throw new Problem('auth.required', { detail: 'send the access token as auth.token' });
    const caller = await verify(auth.data.token);
    socket.data.session = {
      caller,
      live: new Map(),
      backlog: 0,
      turn: Promise.resolve(),
      waitingTurns: 0,
      cancelExpiry: () => undefined,
    };
  }

  async function verify(token: string): Promise<Caller> {
    const caller = await authenticator.authenticate({ authorization: `Bearer ${token}` });
    if (caller?.kind !== 'user') throw new Problem('auth.invalid_token', { detail: 'sign in again' });
    return caller;
  }

  function serve(socket: FeedSocket, session: FeedSession): void {
    socket.conn.on('packetCreate', () => {
      session.backlog += 1;
    });
    socket.conn.on('flush', () => {
      session.backlog = 0;
    });
    watchExpiry(socket, session);
    socket.on('subscribe', (message, acknowledge) =>
      answer(socket, session, { schema: subscribeMessage, message, acknowledge }, ({ after, ...scope }) =>
        subscribe(socket, session, scope, after),
      ),
    );
    socket.on('unsubscribe', (message, acknowledge) =>
      answer(socket, session, { schema: unsubscribeMessage, message, acknowledge }, async ({ after: _, ...scope }) => {
        session.live.delete(roomOf(scope));
        await socket.leave(roomOf(scope));
        return standing(true);
      }),
    );
    socket.on('authenticate', (message, acknowledge) =>
      answer(socket, session, { schema: authenticateMessage, message, acknowledge }, ({ token }) =>
        renew(socket, session, token),
      ),
    );
    socket.on('disconnect', (reason) => {
      session.cancelExpiry();
      logger.debug({ userId: session.caller.userId, reason }, 'live feed client left');
    });
  }

  /** One message after another, each answered, whatever happens. */
  function answer<Schema extends z.ZodType>(
    socket: FeedSocket,
    session: FeedSession,
    given: { schema: Schema; message: unknown; acknowledge: unknown },
    work: (message: z.infer<Schema>) => Promise<FeedAnswer>,
  ): void {
    const acknowledge = acknowledgement(given.acknowledge);
    if (session.waitingTurns >= MAX_WAITING_TURNS) {
      goodbye(socket, new Problem('gateway.rate_limited', { detail: 'too many messages wait for their answer' }));
      return;
    }
    session.waitingTurns += 1;
    session.turn = session.turn.then(async () => {
      session.waitingTurns -= 1;
      try {
        const parsed = given.schema.safeParse(given.message);
        if (!parsed.success) throw new Problem('request.invalid', { errors: fieldErrors(parsed.error) });
        acknowledge(await work(parsed.data));
      } catch (error) {
        const problem = toProblem(error);
        if (problem.status >= 500) logger.error({ error }, 'live feed message failed');
        acknowledge({ ok: false, problem: problem.toDetails() });
      }
    });
  }

  async function subscribe(
    socket: FeedSocket,
    session: FeedSession,
    scope: Scope,
    after: string | undefined,
  ): Promise<FeedAnswer> {
    if (!(await mayHear(authenticator, session.caller, scope))) throw forbidden(scope);
    if (isLive(session, scope)) return standing(true);
    if (session.live.size >= MAX_SCOPES) {
      throw new Problem('request.invalid', { detail: `a connection holds at most ${MAX_SCOPES} subscriptions` });
    }
    const place = after === undefined ? null : await findPlace(options, after, projectOf(scope));
    let joined: FeedAnswer | undefined;
    const join = () => {
      session.live.set(roomOf(scope), { scope, from: options.livePosition() });
      // Takes effect in this turn, as the adapter is in memory.
      void socket.join(roomOf(scope));
      joined = standing(true);
    };
    if (place === null) {
      join();
      return standing(after === undefined);
    }
    const complete = await catchUp(
      { socket, session, scope, after: place.after, limit: options.maxReplay },
      options,
      join,
    );
    if (!joined) throw new Problem('platform.unavailable', { detail: 'the connection ended' });
    return { ...joined, ...(joined.ok ? { complete: complete && place.complete } : {}) };
  }

  async function renew(socket: FeedSocket, session: FeedSession, token: string): Promise<FeedAnswer> {
    const caller = await verify(token);
    if (caller.userId !== session.caller.userId) {
      throw new Problem('auth.invalid_token', { detail: 'the token is of another account; reconnect' });
    }
    session.caller = caller;
    watchExpiry(socket, session);
    for (const [room, { scope }] of session.live) {
      if (await mayHear(authenticator, caller, scope)) continue;
      session.live.delete(room);
      await socket.leave(room);
    }
    return standing(true);
  }

  function watchExpiry(socket: FeedSocket, session: FeedSession): void {
    session.cancelExpiry();
    const leftMs = session.caller.expiresAt - clock.now();
    if (leftMs <= 0) {
      goodbye(socket, new Problem('auth.invalid_token', { detail: 'the token has expired; refresh it' }));
      return;
    }
    session.cancelExpiry = clock.setTimeout(Math.min(leftMs, MAX_TIMER_MS), () => watchExpiry(socket, session));
  }

  function goodbye(socket: FeedSocket, problem: Problem): void {
    logger.info({ userId: socket.data.session?.caller.userId, code: problem.code }, 'closing a live feed client');
    socket.emit('closing', problem.toDetails());
    for (const room of socket.data.session?.live.keys() ?? []) void socket.leave(room);
    socket.data.session?.live.clear();
    // The connection, not the namespace: then socket.io's client comes back by itself.
    socket.conn.close();
    clock.setTimeout(GOODBYE_MS, () => socket.conn.close(true));
  }

  function standing(complete: boolean): FeedAnswer {
    return { ok: true, cursor: encodeFeedCursor(options.livePosition()), complete };
  }

  return {
    attach(server) {
      io.attach(server);
    },
    publish(events) {
      for (const { position, event } of events) {
        io.to(roomsFor(event)).emit('event', event, { cursor: encodeFeedCursor(position) });
      }
      for (const socket of io.sockets.sockets.values()) {
        const backlog = socket.data.session?.backlog ?? 0;
        if (backlog <= options.maxBacklog || socket.data.session?.live.size === 0) continue;
        goodbye(socket, new Problem('feed.too_slow', { detail: `${backlog} messages wait; reconnect and go on` }));
      }
    },
    publishEphemeral(event) {
      const behind = [...io.sockets.sockets.values()]
        .filter((socket) => (socket.data.session?.backlog ?? 0) > MAX_EPHEMERAL_BACKLOG)
        .map((socket) => socket.id);
      io.to(roomsFor(event))
        .except(behind)
        .emit('event', event, { cursor: encodeFeedCursor(options.livePosition()) });
    },
    connections: () => io.sockets.sockets.size,
    close() {
      io.disconnectSockets(true);
      io.engine?.close();
    },
  };
}

function forbidden(scope: Scope): Problem {
  const where = 'all' in scope ? 'the whole installation' : `project ${scope.project}`;
  return new Problem('auth.forbidden', { detail: `you may not follow ${where}` });
}

/** socket.io hands `data` of the error to the client's `connect_error`. */
function toRefusal(error: unknown): Error {
  const problem = toProblem(error);
  return Object.assign(new Error(problem.code), { data: problem.toDetails() });
}
