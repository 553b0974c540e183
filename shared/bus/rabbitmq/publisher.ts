import type { Clock } from '@skyrun/kit';
import type { ConfirmChannel, Options } from 'amqplib';

/** Unconfirmed messages at once; more wait here, in order, so a slow broker slows its producers. */
const MAX_OUTSTANDING = 512;
/**
 * A quorum queue without majority never confirms; and RabbitMQ 3.10, reached while it boots, may not confirm on that
 * connection ever, while the next connection works.
 */
const CONFIRM_TIMEOUT_MS = 10_000;

export interface OutgoingMessage {
  /** Empty for the default exchange: the routing key then names the queue. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string | Buffer;
  readonly options?: Options.Publish;
}

export class ConfirmPublisher {
  readonly #channel: ConfirmChannel;
  readonly #clock: Clock;
  readonly #giveUp: () => void;
  #free = MAX_OUTSTANDING;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param giveUp drops the connection, which fails everything unconfirmed: after a missing confirm nothing is known about
   * what follows either
   */
  constructor(channel: ConfirmChannel, clock: Clock, giveUp: () => void) {
    this.#channel = channel;
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** Resolves when every message is confirmed; rejects when one is not, after all have been decided. */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const cancel = this.#clock.setTimeout(CONFIRM_TIMEOUT_MS, this.#giveUp);
    const results = await Promise.allSettled(messages.map((message) => this.#sendOne(message)));
    cancel();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #sendOne({ exchange, routingKey, body, options }: OutgoingMessage): Promise<void> {
    await this.#acquire();
    try {
      await new Promise<void>((resolve, reject) => {
        const content = typeof body === 'string' ? Buffer.from(body) : body;
        const properties = { persistent: true, contentType: 'application/cloudevents+json', ...options };
        this.#channel.publish(exchange, routingKey, content, properties, (error: unknown) => {
          if (error === null || error === undefined) resolve();
          else reject(error instanceof Error ? error : new Error('the broker refused the message'));
        });
      });
    } finally {
      this.#release();
    }
  }

  #acquire(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
