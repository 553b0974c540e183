import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface TickerOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly everyMs: number;
  /** Never runs twice at once; after an error the next tick comes all the same. The same error in a row is logged at its 1st, 2nd, 4th, 8th… tick. */
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
  let failing: { readonly message: string; readonly ticks: number } | undefined;

  const fails = (error: unknown) => {
    const message = String(error);
    failing = { message, ticks: failing?.message === message ? failing.ticks + 1 : 1 };
    const { ticks } = failing;
    const isPowerOfTwo = (ticks & (ticks - 1)) === 0;
    logger[isPowerOfTwo ? 'error' : 'debug'](
      { ticker: name, error, ticks },
      'tick failed; the next one comes as planned',
    );
  };

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
      if (failing) logger.info({ ticker: name, ticks: failing.ticks }, 'ticks work again');
      failing = undefined;
    } catch (error) {
      if (!abort.signal.aborted) fails(error);
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
