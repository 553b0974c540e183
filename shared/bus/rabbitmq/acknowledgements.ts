import { type Channel, type ConsumeMessage, IllegalOperationError } from 'amqplib';

/**
 * Acknowledges what was handled, once per turn of the event loop: everything up to the oldest delivery that is still being
 * handled with one frame, what was handled behind it one by one. Delivery tags of a channel count from 1 without gaps.
 */
export class Acknowledgements {
  readonly #channel: Channel;
  /** Handled, not acknowledged, by tag. */
  readonly #handled = new Map<number, ConsumeMessage>();
  /** Acknowledged one by one, above `#upTo`. */
  readonly #single = new Set<number>();
  /** Everything up to here is acknowledged. */
  #upTo = 0;
  #scheduled = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  add(message: ConsumeMessage): void {
    this.#handled.set(message.fields.deliveryTag, message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    let last: ConsumeMessage | undefined;
    for (let tag = this.#upTo + 1; ; tag += 1) {
      const message = this.#handled.get(tag);
      if (message) last = message;
      else if (!this.#single.delete(tag)) break;
      this.#handled.delete(tag);
      this.#upTo = tag;
    }
    try {
      if (last) this.#channel.ack(last, true);
      for (const [tag, message] of this.#handled) {
        this.#channel.ack(message);
        this.#single.add(tag);
      }
    } catch (error) {
      // The channel is closed: the broker has all of it back, and its session learns that in another way.
      if (!(error instanceof IllegalOperationError)) throw error;
    }
    this.#handled.clear();
  }
}
