import type { Clock } from '@skyrun/kit';
import type { ConfirmChannel, Options } from 'amqplib';

/** Unconfirmed messages at once; more wait here, in order, so a slow broker slows its producers. */
const MAX_OUTSTANDING = 512;
/**
 * A quorum queue without majority never confirms; and RabbitMQ 3.10, reached while it boots, may not confirm on that
 * connection ever, while the next connection works.
 */
const CONFIRM_TIMEOUT_MS = 10_000;
const DEFAULTS: Options.Publish = { persistent: true, contentType: 'application/cloudevents+json' };

export interface OutgoingMessage {
  /** Empty for the default exchange: the routing key then names the queue. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string | Buffer;
  readonly options?: Options.Publish;
}

interface Batch {
  readonly messages: readonly OutgoingMessage[];
  readonly decided: (failure: Error | null) => void;
  sent: number;
  confirmed: number;
  failure: Error | null;
}

/**
 * Sends batches one after the other. It holds back while too many messages are unconfirmed, and while the socket takes no
 * more (the broker's flow control, or a slow network): a producer that waits for its batch is slowed down with it.
 */
export class ConfirmPublisher {
  readonly #channel: ConfirmChannel;
  readonly #clock: Clock;
  readonly #giveUp: () => void;
  readonly #batches: Batch[] = [];
  #free = MAX_OUTSTANDING;
  #full = false;

  /**
   * @param giveUp drops the connection, which fails everything unconfirmed: after a missing confirm nothing is known about
   * what follows either
   */
  constructor(channel: ConfirmChannel, clock: Clock, giveUp: () => void) {
    this.#channel = channel;
    this.#clock = clock;
    this.#giveUp = giveUp;
    channel.on('drain', () => {
      this.#full = false;
      this.#push();
    });
    channel.on('close', () => this.#failWaiting());
  }

  /** Resolves when every message is confirmed; rejects when one is not, after all have been decided. */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const cancel = this.#clock.setTimeout(CONFIRM_TIMEOUT_MS, this.#giveUp);
    const failure = await new Promise<Error | null>((decided) => {
      this.#batches.push({ messages, decided, sent: 0, confirmed: 0, failure: null });
      this.#push();
    });
    cancel();
    if (failure) throw failure;
  }

  #push(): void {
    for (let batch = this.#batches[0]; batch; batch = this.#batches[0]) {
      for (let message = batch.messages[batch.sent]; message; message = batch.messages[batch.sent]) {
        if (this.#free === 0 || this.#full) return;
        if (this.#publish(batch, message)) continue;
        this.#failWaiting();
        return;
      }
      this.#batches.shift();
    }
  }

  /** False: the channel is closed. */
  #publish(batch: Batch, { exchange, routingKey, body, options }: OutgoingMessage): boolean {
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const properties = options ? { ...DEFAULTS, ...options } : DEFAULTS;
    try {
      const room = this.#channel.publish(exchange, routingKey, content, properties, (error: unknown) =>
        this.#decide(batch, error),
      );
      this.#full = !room;
    } catch (error) {
      batch.failure = error instanceof Error ? error : new Error(String(error));
      return false;
    }
    this.#free -= 1;
    batch.sent += 1;
    return true;
  }

  #decide(batch: Batch, error: unknown): void {
    this.#free += 1;
    batch.confirmed += 1;
    if (error !== null && error !== undefined) {
      batch.failure ??= error instanceof Error ? error : new Error('the broker refused the message');
    }
    if (batch.confirmed === batch.messages.length) batch.decided(batch.failure);
    this.#push();
  }

  /** What was never sent will not be sent by this channel; what was, amqplib decides. */
  #failWaiting(): void {
    for (const batch of this.#batches.splice(0)) batch.decided(batch.failure ?? new Error('the channel was closed'));
  }
}
