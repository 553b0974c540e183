import { join } from 'node:path';
import type { Clock, Logger } from '@skyrun/kit';
import { WINDOW_MS, type WindowUsage } from '../meter/meter.ts';
import { listSegments, readSegment } from './segments.ts';
import { openSince, parseLine } from './spool-line.ts';
import { SpoolPublisher, type UsagePublisher } from './spool-publisher.ts';
import { SpoolWriter } from './spool-writer.ts';
import { UsageEvents } from './usage-events.ts';

const STOP_GRACE_MS = 2000;

/** The usage of one gateway between its measuring and the bus's confirm. */
export class Spool {
  readonly writer: SpoolWriter;
  readonly publisher: SpoolPublisher;
  #directory: string;
  #events: UsageEvents;
  #clock: Clock;
  #logger: Logger;
  #active = false;

  constructor(options: {
    gateway: string;
    /** Names this run; unique per gateway id. */
    epoch: string;
    dataDir: string;
    bus: UsagePublisher;
    clock: Clock;
    logger: Logger;
  }) {
    const { gateway, epoch, clock, logger, bus } = options;
    this.#directory = join(options.dataDir, 'spool');
    this.#clock = clock;
    this.#logger = logger;
    this.#events = new UsageEvents({ gateway, epoch, clock });
    this.writer = new SpoolWriter({
      directory: this.#directory,
      startedAt: Math.floor(clock.now()),
      logger,
      onWritten: () => this.publisher.wake(),
    });
    this.publisher = new SpoolPublisher({
      directory: this.#directory,
      bus,
      clock,
      logger,
      current: () => this.writer.current,
    });
  }

  /** Tells what an earlier run did not write, then begins to publish. */
  async start(): Promise<void> {
    const last = (await listSegments(this.#directory)).at(-1);
    if (last !== undefined) {
      const from = openSince((await readSegment(this.#directory, last)).map(parseLine));
      if (from !== null) {
        this.#logger.warn({ from }, 'the last run ended without writing its last window');
        this.writer.append([{ kind: 'event', event: this.#events.lost(from, from + WINDOW_MS) }]);
        await this.writer.flush();
      }
    }
    this.publisher.start();
  }

  onActive(at: number): void {
    if (this.#active) return;
    this.#active = true;
    this.writer.append([{ kind: 'active', at }]);
  }

  onWindow(usages: readonly WindowUsage[], end: number, active: boolean): void {
    if (usages.length === 0 && !this.#active) return;
    this.#active = active;
    this.writer.append([
      ...usages.map((usage) => ({ kind: 'event' as const, event: this.#events.recorded(usage) })),
      { kind: active ? 'active' : 'idle', at: end },
    ]);
  }

  async stop(): Promise<void> {
    this.writer.append([{ kind: 'closed', at: Math.floor(this.#clock.now()) }]);
    await this.writer.flush();
    await this.publisher.stop(STOP_GRACE_MS);
    await this.writer.close();
  }
}
