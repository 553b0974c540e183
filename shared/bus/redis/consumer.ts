import { randomUUID } from 'node:crypto';
import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import type { Redis } from 'ioredis';
import { type Delivery, Dispatcher, type Failure } from '../dispatcher.ts';
import type { EventHandler, RetryPolicy } from '../event-bus.ts';
import type { Group } from '../group.ts';
import { type Session, SessionLoop } from '../session-loop.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Claims } from './claims.ts';
import { readConnection } from './connection.ts';
import { GroupReader } from './group-reader.ts';
import type { Keys } from './keys.ts';
import { LEASE_POLL_MS, Lease } from './lease.ts';
import { field, type StreamEntry } from './replies.ts';
import { declareRedisGroup } from './topology.ts';

/** How long one blocking read waits, and so how soon a replayed letter or a closing is noticed at the latest. */
const BLOCK_MS = 500;
const REPLAY_POLL_MS = 250;
const CLOSE_TIMEOUT_MS = 5_000;
const LOST_TIMEOUT_MS = 300;

export interface RedisConsumerOptions {
  readonly url: string;
  readonly commands: Redis;
  readonly keys: Keys;
  readonly group: Group;
  readonly prefetch: number;
  readonly handler: EventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  readonly staleMs?: number;
}

/**
 * One consumer of a group. Ordered groups have one active consumer, the holder of the lease; it reads under one
 * constant name, so whoever takes over finds the unsettled deliveries as its own. Consumers of shared groups have names of
 * their own and take over from each other what grew stale.
 */
export function startRedisConsumer(options: RedisConsumerOptions): SessionLoop {
  const { clock, logger, group } = options;
  const left = new Set<string>();
  return new SessionLoop({
    name: group.name,
    clock,
    logger,
    delay: backoff({ baseMs: 50, maxMs: 2_000 }),
    run: (session) => new RedisSession(options, randomUUID(), session, left).run(),
  });
}

class RedisSession {
  readonly #options: RedisConsumerOptions;
  readonly #holder: string;
  readonly #session: Session;
  readonly #replay: string;
  /** Of a shared group. */
  readonly #claims: Claims | null;
  readonly #acknowledgements: Acknowledgements;
  /** Names of earlier sessions whose deliveries could not be given back yet. */
  readonly #left: Set<string>;
  #replayDue = 0;

  constructor(options: RedisConsumerOptions, holder: string, session: Session, left: Set<string>) {
    this.#options = options;
    this.#holder = holder;
    this.#session = session;
    this.#left = left;
    const { commands: redis, keys, group, clock, logger, prefetch, staleMs } = options;
    const { name } = group;
    this.#replay = keys.replay(name);
    const claims = { redis, group: name, consumer: holder, streams: [keys.events, this.#replay], clock, logger };
    this.#claims = group.ordered ? null : new Claims(staleMs === undefined ? claims : { ...claims, staleMs });
    this.#acknowledgements = new Acknowledgements({
      redis,
      group: name,
      clock,
      logger,
      most: prefetch,
      removed: (stream) => stream !== keys.events,
    });
  }

  async run(): Promise<void> {
    const { commands, keys, group, url, logger, clock, prefetch, handler, retry } = this.#options;
    await declareRedisGroup(commands, keys, group);
    this.#session.established();
    for (const earlier of this.#left) await this.#giveBack(earlier);
    const lease = group.ordered ? await this.#waitForLease() : null;
    if (group.ordered && !lease) return;
    const dispatcher = new Dispatcher({
      name: group.name,
      types: group.types,
      prefetch,
      sideBySide: group.sideBySide,
      handler,
      clock,
      logger,
      retry,
      ephemeral: false,
      mayStart: () => lease?.held() ?? true,
    });
    this.#session.consuming(dispatcher);
    this.#claims?.keep();
    try {
      const connection = await readConnection(url, logger);
      this.#session.onClosing(() => connection.disconnect());
      try {
        await this.#read(this.#reader(connection), dispatcher, lease);
      } finally {
        connection.disconnect();
      }
    } finally {
      await this.#session.wind(dispatcher);
      await this.#settleAccounts();
      await lease?.release();
      await this.#claims?.letGo();
      await this.#giveBack(this.#holder);
    }
  }

  /** At once where that is possible, else when the next session begins. */
  async #giveBack(holder: string): Promise<void> {
    if (this.#claims === null) return;
    try {
      await this.#claims.giveBack(holder);
      this.#left.delete(holder);
    } catch (error) {
      const { group, logger } = this.#options;
      logger.debug({ group: group.name, error }, 'deliveries not given back yet');
      this.#left.add(holder);
    }
  }

  async #waitForLease(): Promise<Lease | null> {
    const { commands, keys, group, clock, logger } = this.#options;
    while (!this.#session.closing) {
      const lease = new Lease({
        redis: commands,
        key: keys.lease(group.name),
        holder: this.#holder,
        clock,
        logger,
        onLost: () => this.#session.lost('the lease of the group was lost'),
      });
      if (await lease.take()) return lease;
      await this.#session.pause(LEASE_POLL_MS);
    }
    return null;
  }

  #reader(connection: Redis): GroupReader {
    const { keys, group } = this.#options;
    const fence = group.ordered ? { key: keys.lease(group.name), holder: this.#holder } : null;
    return new GroupReader({ connection, group: group.name, consumer: fence ? 'active' : this.#holder, fence });
  }

  async #read(reader: GroupReader, dispatcher: Dispatcher, lease: Lease | null): Promise<void> {
    const { events } = this.#options.keys;
    const going = () => !this.#session.ended && (lease?.held() ?? true);
    for (const stream of [events, this.#replay]) await this.#readUnsettled(reader, stream, dispatcher, going);
    let last = await reader.lastDelivered(events);
    let atEnd = false;
    while (going()) {
      await dispatcher.waitForRoom();
      await whereOthersEnd(dispatcher);
      if (!going()) return;
      await this.#occasionally(reader, dispatcher);
      if (dispatcher.room === 0) continue;
      const { room } = dispatcher;
      const wait = { last, ms: BLOCK_MS };
      // A read that waits takes no acknowledgements along: those of what is handled meanwhile would have to wait, too.
      const entries: readonly StreamEntry[] = atEnd
        ? await reader.fresh(events, room, { wait })
        : await this.#fetch(reader, room);
      this.#accept(events, entries, dispatcher);
      last = entries.at(-1)?.id ?? last;
      atEnd = entries.length < room;
    }
  }

  /** Reads on, and acknowledges with the same packet what was handled. */
  async #fetch(reader: GroupReader, room: number): Promise<StreamEntry[]> {
    const { events } = this.#options.keys;
    const lent = this.#acknowledgements.lend(events);
    try {
      const entries = await reader.fresh(events, room, lent ? { handled: lent.ids } : {});
      lent?.settled(true);
      return entries;
    } catch (error) {
      lent?.settled(false);
      throw error;
    }
  }

  /** What was delivered under this name before and never settled. */
  async #readUnsettled(
    reader: GroupReader,
    stream: string,
    dispatcher: Dispatcher,
    going: () => boolean,
  ): Promise<void> {
    for (let after = '0-0'; going(); ) {
      await dispatcher.waitForRoom();
      const entries = await reader.unsettled(stream, Math.max(1, dispatcher.room), after);
      const last = entries.at(-1);
      if (!last) return;
      this.#accept(stream, entries, dispatcher);
      after = last.id;
    }
  }

  async #occasionally(reader: GroupReader, dispatcher: Dispatcher): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now >= this.#replayDue) {
      this.#replayDue = now + REPLAY_POLL_MS;
      this.#accept(this.#replay, await reader.fresh(this.#replay, dispatcher.room), dispatcher);
    }
    await this.#claims?.look(
      () => dispatcher.room,
      (stream, entries) => this.#accept(stream, entries, dispatcher),
    );
  }

  /**
   * What was handled is acknowledged before anybody else may take over; of a lost session as much as still gets through,
   * because the rest comes again.
   */
  async #settleAccounts(): Promise<void> {
    const limit = this.#session.closing ? CLOSE_TIMEOUT_MS : LOST_TIMEOUT_MS;
    const cancel = this.#options.clock.setTimeout(limit, () => this.#acknowledgements.drop());
    await this.#acknowledgements.flush();
    cancel();
  }

  #accept(stream: string, entries: readonly StreamEntry[], dispatcher: Dispatcher): void {
    for (const entry of entries) {
      this.#claims?.add(stream, entry.id);
      dispatcher.accept(new RedisDelivery(this, stream, entry.id, field(entry, 'e')));
    }
  }

  done(stream: string, id: string): Promise<void> | undefined {
    this.#claims?.remove(id);
    return this.#acknowledgements.add(stream, id);
  }

  async bury({ stream, id, body }: RedisDelivery, { error, attempts, deadAt }: Failure): Promise<void> {
    const { commands, keys, group } = this.#options;
    const letter = ['e', body, 'error', error, 'attempts', String(attempts), 'deadAt', deadAt];
    const step = commands
      .multi()
      .xadd(keys.dead(group.name), '*', ...letter)
      .xack(stream, group.name, id);
    await (stream === keys.events ? step : step.xdel(stream, id)).exec();
    this.#claims?.remove(id);
  }
}

/** Promises that a handler without a wait of its own goes through, and some more. */
const PROMISES = 16;

/**
 * Where one handler has ended, others often end in the same turn of the event loop: read for all of them at once. Where all of
 * them have ended without waiting for anything, whatever else is due in this turn must not hold up the reading.
 */
async function whereOthersEnd(dispatcher: Dispatcher): Promise<void> {
  for (let promise = 0; promise < PROMISES; promise += 1) {
    if (dispatcher.inFlight === 0) return;
    await Promise.resolve();
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** One class, not closures made anew: there is one for every event. */
class RedisDelivery implements Delivery {
  readonly #session: RedisSession;
  readonly stream: string;
  readonly id: string;
  readonly body: string;

  constructor(session: RedisSession, stream: string, id: string, body: string) {
    this.#session = session;
    this.stream = stream;
    this.id = id;
    this.body = body;
  }

  done(): Promise<void> | undefined {
    return this.#session.done(this.stream, this.id);
  }

  bury(failure: Failure): Promise<void> {
    return this.#session.bury(this, failure);
  }
}
