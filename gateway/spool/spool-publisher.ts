import type { AnyEvent } from '@skyrun/contracts';
import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import { listSegments, PositionFile, removeSegment, SegmentReader, type SpoolPosition } from './segments.ts';
import { parseLine } from './spool-line.ts';

export interface UsagePublisher {
  publish(events: readonly AnyEvent[]): Promise<void>;
}

/**
 * Carries the spool to the bus, whenever something was written.
 *
 *   read from the acknowledged position ──► publish, wait for the confirm ──► save the position ──► read on
 *              ▲                                 │ refused                        │ segment at its end: remove it
 *              └─────── wait (jittered) ◄────────┘
 *
 * Killed between confirm and save, it publishes again what was published: same event ids, same usage keys.
 */
export class SpoolPublisher {
  #directory: string;
  #bus: UsagePublisher;
  #clock: Clock;
  #logger: Logger;
  /** The segment that is still being written. */
  #current: () => string;
  #reader: SegmentReader;
  #positionFile: PositionFile;
  #position: SpoolPosition | null = null;
  /** The segment beside which the directory held no other when it was last looked at; only a newer one can have come since. */
  #only = '';
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #written = Promise.withResolvers<void>();
  #failing = false;

  constructor(options: {
    directory: string;
    bus: UsagePublisher;
    clock: Clock;
    logger: Logger;
    current: () => string;
  }) {
    this.#directory = options.directory;
    this.#reader = new SegmentReader(options.directory);
    this.#positionFile = new PositionFile(options.directory);
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#current = options.current;
  }

  start(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#running = this.#run();
  }

  /** There is more to publish. */
  wake(): void {
    this.#written.resolve();
  }

  /** Tries once more to publish what is there, for at most `graceMs`, then ends. The rest waits for the next start. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new Error('the gateway stops'));
    this.wake();
    await this.#running;
    const done = this.#drain().catch((error: unknown) => this.#logger.info({ error }, 'usage stays in the spool'));
    await Promise.race([done.then(() => this.#close()), this.#clock.sleep(graceMs)]);
  }

  async #close(): Promise<void> {
    await this.#reader.close();
    await this.#positionFile.close();
  }

  async #drain(): Promise<void> {
    let moved = true;
    while (moved) moved = await this.step();
  }

  async #run(): Promise<void> {
    const delay = backoff({ baseMs: 200, maxMs: 5000 });
    let attempt = 0;
    while (!this.#stopping.signal.aborted) {
      this.#written = Promise.withResolvers();
      try {
        const more = await this.step();
        if (this.#failing) this.#logger.info('usage is published again');
        this.#failing = false;
        attempt = 0;
        if (!more) await this.#written.promise;
      } catch (error) {
        if (!this.#failing) this.#logger.warn({ error }, 'usage cannot be published; it stays in the spool');
        this.#failing = true;
        attempt += 1;
        await this.#clock.sleep(delay(attempt), this.#stopping.signal).catch(() => undefined);
      }
    }
  }

  /** Publishes one batch. False when there is nothing more to do until something is written. */
  async step(): Promise<boolean> {
    this.#position ??= await this.#positionFile.load();
    const segments = await this.#segments();
    let { segment, offset } = this.#position ?? { segment: '', offset: 0 };
    // Segments before the acknowledged one are leftovers of a crash between two steps below.
    for (const old of segments.filter((name) => name < segment)) await removeSegment(this.#directory, old);
    const rest = segments.filter((name) => name >= segment);
    const first = rest[0];
    if (first === undefined) return false;
    if (first !== segment) {
      segment = first;
      offset = 0;
    }
    const { lines, next, more } = await this.#reader.read(segment, offset);
    if (next === offset) {
      const following = rest[1];
      if (following === undefined || segment === this.#current()) return false;
      await this.#save({ segment: following, offset: 0 });
      await removeSegment(this.#directory, segment);
      return true;
    }
    const events: AnyEvent[] = [];
    for (const text of lines) {
      const line = parseLine(text);
      if (line === null) this.#logger.error({ segment, offset }, 'a line of the spool is damaged and was left out');
      else if (line.kind === 'event') events.push(line.event);
    }
    if (events.length > 0) await this.#bus.publish(events);
    await this.#save({ segment, offset: next });
    return more || segment !== this.#current();
  }

  async #segments(): Promise<string[]> {
    const current = this.#current();
    if (current !== '' && current === this.#only) return [current];
    const segments = await listSegments(this.#directory);
    this.#only = segments.length === 1 ? (segments[0] ?? '') : '';
    return segments;
  }

  async #save(position: SpoolPosition): Promise<void> {
    await this.#positionFile.save(position);
    this.#position = position;
  }
}
