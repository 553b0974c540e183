import { gatewayCalls, type TrafficReport } from '@skyrun/contracts';
import { backoff, type Client, type Clock, isoTime, type Logger } from '@skyrun/kit/base';
import type { Destination } from '../pipeline/destination.ts';
import type { RevisionTraffic } from './traffic-window.ts';

const EVERY_MS = 1000;
const CALL_TIMEOUT_MS = 2000;

/**
 * Tells the orchestrator each second what was seen, and at once when a revision without a ready instance has someone
 * waiting: the activation, one per revision however many wait, repeated until it is acknowledged or nobody waits.
 *
 * Reports go out one after the other, because the orchestrator ignores one that is older than the last it took.
 *
 *   nobody waits ──first waiter──► asked ──acknowledged──► awaited ──instance ready or room empty──► nobody waits
 */
export class TrafficReporter {
  #gateway: string;
  #client: Pick<Client, 'call'>;
  #clock: Clock;
  #logger: Logger;
  #listed = new Set<Destination>();
  #asked = new Set<Destination>();
  #awaited = new Set<Destination>();
  #sequence = 0;
  #windowStart: number;
  #attempt = 0;
  #stopped = false;
  #started = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #abort = new AbortController();
  #reachable = true;
  #onWindow: (destination: Destination, traffic: RevisionTraffic) => void;

  constructor(options: {
    gateway: string;
    client: Pick<Client, 'call'>;
    clock: Clock;
    logger: Logger;
    /** What of a revision was seen in a window that is over. */
    onWindow: (destination: Destination, traffic: RevisionTraffic) => void;
  }) {
    this.#gateway = options.gateway;
    this.#onWindow = options.onWindow;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#windowStart = options.clock.monotonic();
  }

  list(destination: Destination): void {
    if (destination.listed || destination.revision === null) return;
    destination.listed = true;
    this.#listed.add(destination);
  }

  /** All that have traffic, and some that just had. */
  listed(): Iterable<Destination> {
    return this.#listed;
  }

  /** Someone waits and no instance is ready. */
  activate(destination: Destination): void {
    if (this.#asked.has(destination) || this.#awaited.has(destination)) return;
    this.#asked.add(destination);
    this.#wake();
  }

  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    this.#abort.abort(new Error('the gateway stops'));
    await this.#running;
  }

  async #run(): Promise<void> {
    let windowDue = this.#clock.monotonic() + EVERY_MS;
    while (!this.#stopped) {
      this.#settle();
      const now = this.#clock.monotonic();
      if (now >= windowDue) {
        windowDue = now + EVERY_MS;
        await this.#reportWindow(now);
      } else if (this.#asked.size > 0 && this.#attempt === 0) await this.#reportActivations(now);
      else {
        const pause = this.#asked.size > 0 ? retryDelay(this.#attempt) : windowDue - now;
        const asked = await this.#pause(Math.min(pause, windowDue - now));
        // A new activation is tried at once; an old one when its time has come.
        if (asked || this.#asked.size > 0) this.#attempt = 0;
      }
    }
  }

  /** Resolves after `ms`, or with true as soon as there is an activation to send. */
  #pause(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimeout(Math.max(1, ms), () => {
        this.#wake = () => undefined;
        resolve(false);
      });
      this.#wake = () => {
        cancel();
        this.#wake = () => undefined;
        resolve(true);
      };
    });
  }

  /** Forgets activations that nobody needs any more. */
  #settle(): void {
    for (const set of [this.#asked, this.#awaited]) {
      for (const destination of set) {
        if (destination.traffic.current === 0 || destination.hasReady) set.delete(destination);
      }
    }
  }

  async #reportWindow(now: number): Promise<void> {
    const revisions: RevisionTraffic[] = [];
    for (const destination of this.#listed) {
      const traffic = this.#traffic(destination, now, true);
      if (traffic !== null) {
        revisions.push(traffic);
        this.#onWindow(destination, traffic);
      } else if (!destination.hasDraining) {
        destination.listed = false;
        this.#listed.delete(destination);
      }
    }
    const windowMs = Math.max(1, Math.round(now - this.#windowStart));
    this.#windowStart = now;
    if (revisions.length === 0) return;
    if (await this.#send(revisions, windowMs))
      for (const destination of [...this.#asked]) this.#acknowledge(destination);
  }

  async #reportActivations(now: number): Promise<void> {
    const asked = [...this.#asked];
    const revisions = asked.flatMap((destination) => this.#traffic(destination, now, false) ?? []);
    if (await this.#send(revisions, 0)) {
      this.#attempt = 0;
      for (const destination of asked) this.#acknowledge(destination);
    } else this.#attempt = Math.min(10, this.#attempt + 1);
  }

  #acknowledge(destination: Destination): void {
    if (this.#asked.delete(destination)) this.#awaited.add(destination);
  }

  #traffic(destination: Destination, now: number, take: boolean): RevisionTraffic | null {
    const { revision, traffic, room } = destination;
    if (revision === null) return null;
    const taken = take ? traffic.take(now, revision.revisionId, room.size) : null;
    const seen = taken ?? (take && !destination.hasDraining ? null : traffic.peek(now, revision.revisionId, room.size));
    if (seen === null) return null;
    const instances = [...destination.instances, ...destination.leaving].map(({ id, inFlight }) => ({
      id,
      current: inFlight,
    }));
    const longest = room.first;
    return {
      ...seen,
      instances,
      ...(longest === undefined
        ? {}
        : { waitingMs: Math.max(0, now - longest.startedAt), traceparent: longest.traceparent }),
    };
  }

  async #send(revisions: RevisionTraffic[], windowMs: number): Promise<boolean> {
    const now = this.#clock.now();
    this.#sequence = Math.max(this.#sequence + 1, Math.floor(now));
    const body: TrafficReport = {
      gateway: this.#gateway,
      sequence: this.#sequence,
      at: isoTime(now),
      windowMs,
      revisions,
    };
    const timeout = new AbortController();
    const cancel = this.#clock.setTimeout(CALL_TIMEOUT_MS, () => timeout.abort(new Error('no answer in time')));
    try {
      await this.#client.call(gatewayCalls.reportTraffic, {
        body,
        signal: AbortSignal.any([timeout.signal, this.#abort.signal]),
      });
      if (!this.#reachable) this.#logger.info('the orchestrator answers again');
      this.#reachable = true;
      return true;
    } catch (error) {
      if (this.#reachable && !this.#stopped) this.#logger.warn({ error }, 'the orchestrator takes no traffic report');
      this.#reachable = false;
      return false;
    } finally {
      cancel();
    }
  }
}

const retryDelay = backoff({ baseMs: 100, maxMs: 1000 });
