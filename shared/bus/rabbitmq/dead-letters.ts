import { randomUUID } from 'node:crypto';
import type { Clock, Logger } from '@skyrun/kit';
import type { Channel, GetMessage } from 'amqplib';
import { eventOf } from '../dead-letter.ts';
import type { Failure } from '../dispatcher.ts';
import type { DeadLetter, DeadLetters } from '../event-bus.ts';
import type { RabbitConnection } from './connection.ts';
import { LETTER_HEADERS, type Names } from './names.ts';
import type { OutgoingMessage } from './publisher.ts';

export function letterMessage(queue: string, body: Buffer, { error, attempts, deadAt }: Failure): OutgoingMessage {
  const { error: errorHeader, attempts: attemptsHeader, deadAt: deadAtHeader } = LETTER_HEADERS;
  const headers = { [errorHeader]: error, [attemptsHeader]: attempts, [deadAtHeader]: deadAt };
  return { exchange: '', routingKey: queue, body, options: { messageId: randomUUID(), headers } };
}

export interface RabbitDeadLettersOptions {
  readonly connection: RabbitConnection;
  readonly names: Names;
  readonly group: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const SETTLE_POLL_MS = 10;
const SETTLE_POLLS = 100;

/**
 * AMQP cannot read a queue without taking from it: letters are taken in order on a channel of their own, and what is not
 * wanted is given back, which keeps its place. One look at a time per bus, as looks would hide letters from each other.
 */
export class RabbitDeadLetters implements DeadLetters {
  readonly #options: RabbitDeadLettersOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RabbitDeadLettersOptions) {
    this.#options = options;
  }

  /** The cursor is a position: letters replayed meanwhile shift it. */
  list(limit = 100, cursor?: string) {
    const from = Number(cursor ?? 0);
    return this.#inTurn(async () => {
      const seen = await this.#take(from + limit + 1, async () => false);
      const items = seen.slice(from, from + limit).map(toLetter);
      return { items, next: seen.length > from + limit ? String(from + limit) : null };
    });
  }

  replay(ids: readonly string[] | 'all') {
    const { connection, names, group } = this.#options;
    const wanted = ids === 'all' ? null : new Set(ids);
    return this.#inTurn(async () => {
      let replayed = 0;
      await this.#take(wanted ? Number.POSITIVE_INFINITY : null, async (message) => {
        if (wanted && !wanted.has(letterId(message))) return false;
        await connection
          .now()
          .publisher.send([{ exchange: '', routingKey: names.queue(group), body: message.content }]);
        replayed += 1;
        return true;
      });
      return replayed;
    });
  }

  discard(ids: readonly string[], reason: string) {
    const { group, logger } = this.#options;
    const wanted = new Set(ids);
    return this.#inTurn(async () => {
      let discarded = 0;
      await this.#take(Number.POSITIVE_INFINITY, async (message) => {
        if (!wanted.has(letterId(message))) return false;
        logger.info({ group, letter: letterId(message), reason }, 'dead letter discarded');
        discarded += 1;
        return true;
      });
      return discarded;
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch((error: unknown) => this.#options.logger.debug({ error }, 'dead letters'));
    return result;
  }

  /**
   * Takes at most `most` letters, or as many as lie there now (null); `remove` says whether one is to go.
   * Returns all that were taken, removed or not.
   */
  async #take(most: number | null, remove: (message: GetMessage) => Promise<boolean>): Promise<GetMessage[]> {
    const { connection, names, group } = this.#options;
    const queue = names.dead(group);
    const channel = await connection.now().model.createChannel();
    channel.on('error', (error) => this.#options.logger.debug({ group, error }, 'dead letters'));
    const taken: GetMessage[] = [];
    let removed = 0;
    try {
      const messageCount = await lettersIn(channel, queue);
      const limit = Math.min(most ?? messageCount, messageCount);
      while (taken.length < limit) {
        const message = await channel.get(queue);
        if (!message) break;
        taken.push(message);
        if (await remove(message)) {
          channel.ack(message);
          removed += 1;
        }
      }
      if (taken.length > removed) await this.#giveBack(channel, queue, messageCount - removed);
    } finally {
      await channel.close().catch((error: unknown) => this.#options.logger.debug({ error }, 'channel was closed'));
    }
    return taken;
  }

  /** Giving back is not confirmed; the next look must not come before it. */
  async #giveBack(channel: Channel, queue: string, expected: number): Promise<void> {
    channel.nackAll(true);
    for (let poll = 0; poll < SETTLE_POLLS; poll += 1) {
      const { messageCount } = await channel.checkQueue(queue);
      if (messageCount >= expected) return;
      await this.#options.clock.sleep(SETTLE_POLL_MS);
    }
  }
}

/** Ready letters; none when the group was never declared, in which case the broker has closed the channel. */
async function lettersIn(channel: Channel, queue: string): Promise<number> {
  try {
    return (await channel.checkQueue(queue)).messageCount;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 404) return 0;
    throw error;
  }
}

function letterId({ properties }: GetMessage): string {
  return typeof properties.messageId === 'string' ? properties.messageId : '';
}

function toLetter(message: GetMessage): DeadLetter {
  const body = message.content.toString();
  const headers: Record<string, unknown> = message.properties.headers ?? {};
  return {
    id: letterId(message),
    body,
    event: eventOf(body),
    error: String(headers[LETTER_HEADERS.error] ?? 'dead-lettered by the broker'),
    attempts: Number(headers[LETTER_HEADERS.attempts] ?? 0),
    deadAt: String(headers[LETTER_HEADERS.deadAt] ?? ''),
  };
}
