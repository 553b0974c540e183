import { type Clock, createTicker, isoTime, type Logger, newId, type Ticker } from '@skyrun/kit/base';
import type { NewsPublisher } from '../breaker/breaker-news.ts';
import type { CallBook } from './call-book.ts';

const EVERY_MS = 5_000;

/** Tells now and then who called whom. What could not be told is lost: the map shows the last minutes, and more come. */
export function createCallNews(options: {
  readonly gateway: string;
  readonly book: Pick<CallBook, 'take'>;
  readonly bus: NewsPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pick<Ticker, 'start' | 'stop'> {
  const { gateway, book, bus, clock, logger } = options;
  return createTicker({
    name: 'gateway.calls',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run() {
      const calls = book.take();
      if (calls.length === 0) return;
      const event = {
        specversion: '1.0' as const,
        id: newId('event', clock),
        source: `/skyrun/gateway/${gateway}`,
        type: 'skyrun.calls.observed.v1' as const,
        subject: `gateways/${gateway}`,
        time: isoTime(clock.now()),
        datacontenttype: 'application/json' as const,
        sequence: Math.floor(clock.now()),
        data: { gateway, calls },
      };
      await bus.publish([event]).catch((error: unknown) => logger.debug({ error }, 'could not tell who called whom'));
    },
  });
}
