import { gatewayCalls } from '@skyrun/contracts';
import type { Client, Clock, Logger } from '@skyrun/kit';
import type { Destination } from '../pipeline/destination.ts';

const ANSWER_WITHIN_MS = 2000;
/** After a refusal the ordinary activation has its chance before this way is tried again. */
const AGAIN_AFTER_MS = 1000;

/**
 * The short way to a paused instance: one question to the orchestrator, beside the reports, whose answer is enough to send
 * the waiting requests on; the route feed tells the same a little later. Where it fails, `otherwise` is the long way.
 */
export class Waker {
  #client: Pick<Client, 'call'>;
  #clock: Clock;
  #logger: Logger;
  #onResumed: (destination: Destination) => void;
  #otherwise: (destination: Destination) => void;
  #asking = new Set<Destination>();
  #refusedUntil = new WeakMap<Destination, number>();

  constructor(options: {
    client: Pick<Client, 'call'>;
    clock: Clock;
    logger: Logger;
    onResumed: (destination: Destination) => void;
    otherwise: (destination: Destination) => void;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onResumed = options.onResumed;
    this.#otherwise = options.otherwise;
  }

  /** Once at a time for a destination, however many wait. */
  wake(destination: Destination): void {
    if (this.#asking.has(destination)) return;
    if (this.#clock.monotonic() < (this.#refusedUntil.get(destination) ?? 0)) {
      this.#otherwise(destination);
      return;
    }
    this.#asking.add(destination);
    void this.#ask(destination).finally(() => this.#asking.delete(destination));
  }

  async #ask(destination: Destination): Promise<void> {
    const revisionId = destination.revision?.revisionId;
    if (revisionId === undefined) return;
    const timeout = new AbortController();
    const cancel = this.#clock.setTimeout(ANSWER_WITHIN_MS, () => timeout.abort(new Error('no answer in time')));
    try {
      const options = { body: { revisionId, ...this.#longestOf(destination) }, signal: timeout.signal };
      const { resumed } = await this.#client.call(gatewayCalls.wakeRevision, options);
      if (destination.wake(resumed)) {
        this.#onResumed(destination);
        return;
      }
    } catch (error) {
      this.#logger.debug({ error, revision: destination.name }, 'a paused instance could not be woken');
    } finally {
      cancel();
    }
    this.#refusedUntil.set(destination, this.#clock.monotonic() + AGAIN_AFTER_MS);
    this.#otherwise(destination);
  }

  #longestOf({ room }: Destination) {
    const longest = room.first;
    if (longest === undefined) return {};
    const { startedAt, traceparent } = longest;
    return { waitingMs: Math.max(0, this.#clock.monotonic() - startedAt), traceparent };
  }
}
