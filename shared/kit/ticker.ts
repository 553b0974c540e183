import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface TickerOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly everyMs: number;
  /** Never runs twice at once; an error is logged and the next tick comes all the same. */
  run(signal: AbortSignal): Promise<void>;
}

export interface Ticker {
  start(): void;
  /** Resolves when a run in progress has ended. May be called before start, and twice. */
  stop(): Promise<void>;
  /** Runs now, or once more right after the run in progress; many wakes make one run. */
  wake(): void;
}

/**
 *   idle ──wake/timer──► running ──done──► idle
 *                          │ wake                ▲
 *                          └──► running, again ──┘ (runs once more)
 */
export function createTicker({ name, clock, logger, everyMs, run }: TickerOptions): Ticker {
  let started = false;
  let stopped = false;
  let again = false;
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  const abort = new AbortController();

  const go = () => {
    if (!started || stopped) return;
    if (running) {
      again = true;
      return;
    }
    cancelTimer?.();
    cancelTimer = undefined;
    running = loop().finally(() => {
      running = undefined;
      if (again) {
        again = false;
        go();
      } else if (!stopped) {
        cancelTimer = clock.setTimeout(everyMs, go);
      }
    });
  };

  const loop = async () => {
    try {
      await run(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) logger.error({ ticker: name, error }, 'tick failed; the next one comes as planned');
    }
  };

  return {
    start() {
      if (started || stopped) return;
      started = true;
      go();
    },
    async stop() {
      stopped = true;
      again = false;
      cancelTimer?.();
      abort.abort();
      await running;
    },
    wake: go,
  };
}
