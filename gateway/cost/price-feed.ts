import { gatewayCalls } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import { type RateBook, rateBook } from './request-cost.ts';

const REFRESH_MS = 30_000;

/** Keeps the prices in force in memory; with billing gone the last ones stay, and without any nobody is told a cost. */
export interface PriceFeed extends Pick<Ticker, 'start' | 'stop'> {
  readonly rates: RateBook;
}

export function createPriceFeed(options: {
  readonly client: Pick<Client, 'call'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): PriceFeed {
  const { client, clock, logger } = options;
  let book: RateBook = () => undefined;
  const ticker = createTicker({
    name: 'gateway.prices',
    clock,
    logger,
    everyMs: REFRESH_MS,
    async run() {
      book = rateBook(await client.call(gatewayCalls.listUnitPrices, {}));
    },
  });
  return {
    rates: (project) => book(project),
    start() {
      ticker.start();
      ticker.wake();
    },
    stop: () => ticker.stop(),
  };
}
