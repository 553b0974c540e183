import { Duplex } from 'node:stream';
import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import { type ChannelModel, connect } from 'amqplib';
import { unavailable } from '../errors.ts';
import type { Names } from './names.ts';
import { ConfirmPublisher } from './publisher.ts';

const HEARTBEAT_S = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;

/** One live connection. */
export interface Link {
  readonly model: ChannelModel;
  readonly publisher: ConfirmPublisher;
}

export interface RabbitConnectionOptions {
  readonly url: string;
  readonly names: Names;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 *   connecting ──► linked ──lost──► backoff ──► connecting …  ──close──► closed
 *
 * The exchange is declared with every link, the queues with every consumer's session: after the broker lost everything,
 * all of it is there again.
 */
export class RabbitConnection {
  readonly #options: RabbitConnectionOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #link: Link | undefined;
  #blocked = false;
  #waiting: (() => void)[] = [];

  constructor(options: RabbitConnectionOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  ready(): boolean {
    return this.#link !== undefined && !this.#blocked;
  }

  /** @throws BusError `bus.unavailable` */
  now(): Link {
    if (!this.#link) throw unavailable('not connected');
    if (this.#blocked) throw unavailable('the broker is out of memory or disk and takes nothing');
    return this.#link;
  }

  /** Waits for a link; null when the signal is aborted first. */
  async link(signal: AbortSignal): Promise<Link | null> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (this.#link) return this.#link;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      return null;
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const link = this.#link;
    this.#link = undefined;
    if (link) await this.#closeModel(link.model);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const stop = this.#stop.signal;
    const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
    const delay = backoff({ baseMs: 100, maxMs: 3_000 });
    for (let failures = 0; !stop.aborted; ) {
      try {
        const { link, lost } = await this.#connect();
        failures = 0;
        if (stop.aborted) {
          await this.#closeModel(link.model);
          return;
        }
        this.#link = link;
        this.#wake();
        await Promise.race([lost, stopped]);
        this.#link = undefined;
        this.#blocked = false;
        if (!stop.aborted) logger.warn('connection to RabbitMQ lost; reconnecting');
      } catch (error) {
        failures += 1;
        logger.debug({ error, failures }, 'cannot connect to RabbitMQ');
      }
      if (stop.aborted) return;
      await clock.sleep(delay(failures + 1), stop).catch((reason: unknown) => {
        if (!stop.aborted) throw reason;
      });
    }
  }

  async #connect(): Promise<{ link: Link; lost: Promise<void> }> {
    const { url, names, clock, logger } = this.#options;
    const address = new URL(url);
    if (!address.searchParams.has('heartbeat')) address.searchParams.set('heartbeat', String(HEARTBEAT_S));
    const model = await connect(address.href, {
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: 'skyrun-bus' },
    });
    const lost = new Promise<void>((resolve) => model.on('close', () => resolve()));
    model.on('error', (error) => logger.debug({ error }, 'RabbitMQ connection'));
    model.on('blocked', (reason) => {
      this.#blocked = true;
      logger.error({ reason }, 'RabbitMQ takes no messages');
    });
    model.on('unblocked', () => {
      this.#blocked = false;
    });
    const giveUp = () => drop(model);
    try {
      const channel = await model.createConfirmChannel();
      channel.on('error', (error) => logger.warn({ error }, 'publishing channel'));
      // Without its publisher the link is of no use; a new one is made.
      channel.on('close', giveUp);
      await channel.assertExchange(names.exchange, 'topic', { durable: true });
      return { link: { model, publisher: new ConfirmPublisher(channel, clock, giveUp) }, lost };
    } catch (error) {
      giveUp();
      throw error;
    }
  }

  async #closeModel(model: ChannelModel): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.setTimeout(CLOSE_TIMEOUT_MS, () => {
      drop(model);
      late.resolve();
    });
    const closed = model.close().catch((error: unknown) => {
      this.#options.logger.debug({ error }, 'connection was closed already');
    });
    // amqplib never tells of a connection that breaks while it is being closed.
    await Promise.race([closed, late.promise]);
    cancel();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Cuts the socket: an orderly close waits for a broker that may not answer, and amqplib has no other way. */
function drop(model: ChannelModel): void {
  const stream: unknown = Reflect.get(model.connection, 'stream');
  if (stream instanceof Duplex) stream.destroy(new Error('connection given up'));
}
