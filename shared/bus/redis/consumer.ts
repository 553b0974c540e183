import { randomUUID } from 'node:crypto';
import { backoff, type Clock, type Logger } from '@skyrun/kit';
import type { Redis } from 'ioredis';
import { type Delivery, Dispatcher } from '../dispatcher.ts';
import { groupConflict } from '../errors.ts';
import type { EventHandler, RetryPolicy } from '../event-bus.ts';
import type { Group } from '../group.ts';
import { type Session, SessionLoop } from '../session-loop.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { readConnection } from './connection.ts';
import type { Keys } from './keys.ts';
import { LEASE_POLL_MS, Lease } from './lease.ts';
import { field, parseClaim, parseInfo, parseRead, type StreamEntry } from './replies.ts';

/** How long one blocking read waits, and so how soon a replayed letter or a closing is noticed at the latest. */
const BLOCK_MS = 500;
const REPLAY_POLL_MS = 250;
/** In a shared group, a delivery its consumer has not touched for so long goes to another consumer. */
const STALE_MS = 15_000;
const STALE_POLL_MS = 1_000;
const FENCED_READ = `if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('NOTACTIVE the lease is not ours') end
return redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], '>')`;
/** Makes a delivery that is given back look as if nobody had touched it for long: the next look takes it over. */
const GIVEN_BACK_IDLE_MS = 86_400_000;
const CLOSE_TIMEOUT_MS = 5_000;
const LOST_TIMEOUT_MS = 300;
/** A consumer of a shared group without deliveries is forgotten after this long. */
const FORGET_MS = 600_000;

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

/** @throws BusError `bus.group_conflict` */
export async function declareRedisGroup(redis: Redis, keys: Keys, { name, ordered }: Group): Promise<void> {
  const mode = ordered ? 'ordered' : 'shared';
  await redis.hsetnx(keys.groups, name, mode);
  if ((await redis.hget(keys.groups, name)) !== mode) throw groupConflict(name);
  await createGroup(redis, keys.events, name, '$');
  await createGroup(redis, keys.replay(name), name, '0');
}

async function createGroup(redis: Redis, stream: string, name: string, from: '$' | '0'): Promise<void> {
  await redis.xgroup('CREATE', stream, name, from, 'MKSTREAM').catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
  });
}

/**
 * One consumer of a group. Ordered groups have one active consumer, the holder of the lease; it reads under one
 * constant name, so whoever takes over finds the unsettled deliveries as its own. Consumers of shared groups have names of
 * their own and take over from each other what grew stale.
 */
export function startRedisConsumer(options: RedisConsumerOptions): SessionLoop {
  const { clock, logger, group } = options;
  return new SessionLoop({
    name: group.name,
    clock,
    logger,
    delay: backoff({ baseMs: 50, maxMs: 2_000 }),
    run: (session) => new RedisSession(options, randomUUID(), session).run(),
  });
}

class RedisSession {
  readonly #options: RedisConsumerOptions;
  readonly #holder: string;
  readonly #session: Session;
  readonly #consumer: string;
  /** Stream by id: everything that is neither given back nor handled. */
  readonly #inFlight = new Map<string, string>();
  readonly #acknowledgements: Acknowledgements;
  #replayDue = 0;
  #staleDue = 0;

  constructor(options: RedisConsumerOptions, holder: string, session: Session) {
    this.#options = options;
    this.#holder = holder;
    this.#session = session;
    this.#consumer = options.group.ordered ? 'active' : holder;
    const { commands, keys, group, clock, logger, prefetch } = options;
    this.#acknowledgements = new Acknowledgements({
      redis: commands,
      group: group.name,
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
    try {
      const reader = await readConnection(url, logger);
      this.#session.onClosing(() => reader.disconnect());
      try {
        await this.#read(reader, dispatcher, lease);
      } finally {
        reader.disconnect();
      }
    } finally {
      await this.#session.wind(dispatcher);
      await this.#settleAccounts();
      await lease?.release();
      if (!group.ordered) await this.#leaveShared();
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

  async #read(reader: Redis, dispatcher: Dispatcher, lease: Lease | null): Promise<void> {
    const { keys, group } = this.#options;
    const replay = keys.replay(group.name);
    const going = () => !this.#session.ended && (lease?.held() ?? true);
    for (const stream of [keys.events, replay]) await this.#readUnsettled(reader, stream, dispatcher, going);
    let last = await this.#lastDelivered();
    while (going()) {
      await dispatcher.waitForRoom();
      // Where one handler has ended, others often end in the same turn: read for all of them at once.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (!going()) return;
      await this.#occasionally(dispatcher, reader, replay);
      if (dispatcher.room === 0) continue;
      const entries = await this.#fetch(reader, keys.events, dispatcher.room);
      this.#accept(keys.events, entries, dispatcher);
      last = entries.at(-1)?.id ?? last;
      if (entries.length === 0) await reader.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, last);
    }
  }

  /** Where the group stands, for waiting for what comes behind. */
  async #lastDelivered(): Promise<string> {
    const { commands, keys, group } = this.#options;
    const groups = parseInfo(await commands.xinfo('GROUPS', keys.events));
    return groups.find((info) => info.get('name') === group.name)?.get('last-delivered-id') ?? '0-0';
  }

  /**
   * What nobody was given yet. An ordered group's read is fenced: on a network that held it up it may arrive when somebody
   * else is active, and what it took then would reach nobody.
   */
  async #fetch(reader: Redis, stream: string, count: number): Promise<StreamEntry[]> {
    const { keys, group } = this.#options;
    if (!group.ordered) {
      return parseRead(
        await reader.xreadgroup('GROUP', group.name, this.#consumer, 'COUNT', count, 'STREAMS', stream, '>'),
      );
    }
    const given = [this.#holder, group.name, this.#consumer, count];
    return parseRead(await reader.eval(FENCED_READ, 2, stream, keys.lease(group.name), ...given));
  }

  /** What was delivered under this name before and never settled. */
  async #readUnsettled(reader: Redis, stream: string, dispatcher: Dispatcher, going: () => boolean): Promise<void> {
    const { group } = this.#options;
    for (let after = '0-0'; going(); ) {
      await dispatcher.waitForRoom();
      const count = Math.max(1, dispatcher.room);
      const reply = await reader.xreadgroup(
        'GROUP',
        group.name,
        this.#consumer,
        'COUNT',
        count,
        'STREAMS',
        stream,
        after,
      );
      const entries = parseRead(reply);
      const last = entries.at(-1);
      if (!last) return;
      this.#accept(stream, entries, dispatcher);
      after = last.id;
    }
  }

  async #occasionally(dispatcher: Dispatcher, reader: Redis, replay: string): Promise<void> {
    const { clock, keys, group, staleMs = STALE_MS } = this.#options;
    const now = clock.monotonic();
    if (now >= this.#replayDue) {
      this.#replayDue = now + REPLAY_POLL_MS;
      this.#accept(replay, await this.#fetch(reader, replay, dispatcher.room), dispatcher);
    }
    if (!group.ordered && now >= this.#staleDue) {
      this.#staleDue = now + Math.min(STALE_POLL_MS, staleMs / 3);
      for (const stream of [keys.events, replay]) {
        await this.#touch(stream);
        await this.#claimStale(stream, dispatcher, staleMs);
      }
    }
  }

  /** Resets the idle time of what is still being handled here, retries included. */
  async #touch(stream: string): Promise<void> {
    const ids = this.#unsettled(stream);
    if (ids.length === 0) return;
    const { commands, group } = this.#options;
    await commands.call('XCLAIM', stream, group.name, this.#consumer, '0', ...ids, 'JUSTID');
  }

  async #claimStale(stream: string, dispatcher: Dispatcher, staleMs: number): Promise<void> {
    const { commands, group } = this.#options;
    for (let cursor = '0-0'; dispatcher.room > 0; ) {
      const claimed = parseClaim(
        await commands.xautoclaim(stream, group.name, this.#consumer, staleMs, cursor, 'COUNT', dispatcher.room),
      );
      this.#accept(
        stream,
        claimed.entries.filter((entry) => !this.#inFlight.has(entry.id)),
        dispatcher,
      );
      if (claimed.cursor === '0-0') break;
      cursor = claimed.cursor;
    }
    for (const info of parseInfo(await commands.xinfo('CONSUMERS', stream, group.name))) {
      if (Number(info.get('idle') ?? 0) > FORGET_MS) await this.#forget(stream, info.get('name') ?? '');
    }
  }

  /** Deleting a consumer would lose its deliveries, so look and delete in one step. */
  async #forget(stream: string, consumer: string): Promise<void> {
    const script = `local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return 0`;
    await this.#options.commands.eval(script, 1, stream, this.#options.group.name, consumer);
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

  /** What was fetched and not begun goes to the others at their next look. */
  async #leaveShared(): Promise<void> {
    if (!this.#session.closing) return;
    const { commands, keys, group, logger } = this.#options;
    try {
      for (const stream of [keys.events, keys.replay(group.name)]) {
        const ids = this.#unsettled(stream);
        const idle = ['IDLE', String(GIVEN_BACK_IDLE_MS), 'JUSTID'];
        if (ids.length > 0) await commands.call('XCLAIM', stream, group.name, this.#consumer, '0', ...ids, ...idle);
        await this.#forget(stream, this.#consumer);
      }
    } catch (error) {
      logger.debug({ group: group.name, error }, 'consumer not removed; another one will');
    }
  }

  #unsettled(stream: string): string[] {
    return [...this.#inFlight].flatMap(([id, place]) => (place === stream ? [id] : []));
  }

  #accept(stream: string, entries: readonly StreamEntry[], dispatcher: Dispatcher): void {
    for (const entry of entries) dispatcher.accept(this.#delivery(stream, entry));
  }

  #delivery(stream: string, entry: StreamEntry): Delivery {
    const { commands, keys, group } = this.#options;
    const { id } = entry;
    const body = field(entry, 'e');
    this.#inFlight.set(id, stream);
    return {
      body,
      done: () => {
        this.#inFlight.delete(id);
        return this.#acknowledgements.add(stream, id);
      },
      bury: async ({ error, attempts, deadAt }) => {
        const letter = ['e', body, 'error', error, 'attempts', String(attempts), 'deadAt', deadAt];
        const step = commands
          .multi()
          .xadd(keys.dead(group.name), '*', ...letter)
          .xack(stream, group.name, id);
        await (stream === keys.events ? step : step.xdel(stream, id)).exec();
        this.#inFlight.delete(id);
      },
    };
  }
}
