import type { AnyEvent } from '@skyrun/contracts';

/**
 * Words:
 * - group: the consumers that share one copy of the events; every group gets every event of its types.
 * - delivery: one handing over of one event to one handler.
 * - settled: a delivery that was acknowledged, or went to the dead letters.
 * - lane: the deliveries of one subject inside one consumer; a lane runs one at a time, in order (`sideBySide`: each is a
 *   lane of its own).
 * - dead letter: an event that its group failed to handle as often as the retry policy allows.
 */
export interface EventBus {
  /**
   * Resolves when the broker has confirmed all of them.
   * @throws InvalidEventError before anything is sent, if one is unknown or does not fit its schema
   * @throws BusError `bus.unavailable` when the broker did not confirm: some, all or none were accepted; publish again
   */
  publish(events: readonly AnyEvent[]): Promise<void>;

  /**
   * Resolves when the group exists and this consumer stands in it; waits for a broker that is away.
   * @throws InvalidEventError `unknown_type` if a pattern means no type of the catalogue
   * @throws BusError `bus.bad_group`, `bus.group_conflict`, `bus.closed`
   */
  subscribe(options: SubscribeOptions): Promise<Subscription>;

  /** Makes the group without consuming, so that everything published from now on waits for it. Repeatable. */
  declareGroup(options: GroupOptions): Promise<void>;

  deadLetters(group: string): DeadLetters;

  /** Whether the broker can be reached now. */
  ready(): boolean;

  /** Closes every subscription gracefully, then the connection. May be called twice. */
  close(): Promise<void>;
}

export interface GroupOptions {
  /** Lower case letters, digits, `.` and `-`; 100 at most. */
  readonly group: string;
  /** Types of the catalogue, or patterns such as `skyrun.instance.*`. */
  readonly types: readonly string[];
  /**
   * true (default): events of one subject are handled in order across all consumers of the group. One consumer is active,
   * the others stand by and take over; the active one handles different subjects at the same time, up to `prefetch`.
   * false: all consumers of the group share the work; order per subject holds only within one consumer.
   */
  readonly ordered?: boolean;
}

export interface SubscribeOptions extends GroupOptions {
  /** Most deliveries that are unsettled at once in this consumer; 64 by default. */
  readonly prefetch?: number;
  /**
   * true: deliveries of one subject are handled side by side, too, up to `prefetch`; only where `ordered` is false. For
   * handlers that join many deliveries into one transaction and come to the same in any order: with lanes, a batch would
   * hold one delivery of each subject.
   */
  readonly sideBySide?: boolean;
  /**
   * A private copy for this process that ends with it: from now on, no retry, oldest dropped when it cannot keep up.
   * `group` then only names it in logs.
   */
  readonly ephemeral?: boolean;
  readonly handler: EventHandler;
}

export type EventHandler = (event: AnyEvent, context: DeliveryContext) => Promise<void>;

export interface DeliveryContext {
  /** 1 for the first try of this delivery. */
  readonly attempt: number;
  /** Aborted when the broker may have given the event to someone else: stop, the result no longer counts. */
  readonly signal: AbortSignal;
}

export interface Subscription {
  /** Starts nothing new, waits for the handlers that run, and gives the rest back. May be called twice. */
  close(): Promise<void>;
}

export interface DeadLetter {
  /** Names the letter until it is replayed or discarded. */
  readonly id: string;
  /** The event, or null when it is the event itself that is malformed. */
  readonly event: AnyEvent | null;
  /** What lay on the broker. */
  readonly body: string;
  /** Why it failed the last time: `Name: message`, then the places of the stack, a line each. */
  readonly error: string;
  /** How often it was handled. */
  readonly attempts: number;
  /** RFC 3339. */
  readonly deadAt: string;
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetter[];
  /** Give it back to go on; null at the end. */
  readonly next: string | null;
}

export interface DeadLetters {
  /** Oldest first; 100 a page by default. */
  list(limit?: number, cursor?: string): Promise<DeadLetterPage>;
  /** Hands them to their group again, and only to it, after everything that waits there. Returns how many. */
  replay(ids: readonly string[] | 'all'): Promise<number>;
  /** Drops them; the reason goes to the log. Returns how many. */
  discard(ids: readonly string[], reason: string): Promise<number>;
}

export interface RetryPolicy {
  /** Tries of one event before it is a dead letter, the first included. Transient errors do not count. */
  readonly maxAttempts: number;
  /** Milliseconds; full jitter below `baseMs × 2^(attempt−1)`, at most `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Errors that say nothing about the event (its database is away): tried without end. */
  readonly isTransient: (error: unknown) => boolean;
}
