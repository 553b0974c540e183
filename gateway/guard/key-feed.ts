import { gatewayCalls } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import { keep, readKept } from '../feed/kept.ts';
import { type Callers, readKeySet } from './callers.ts';

const REFRESH_MS = 60_000;
const RETRY_MS = 2000;

/**
 * Keeps identity's public keys for checking callers, in memory and on disk: with identity gone, also over a restart,
 * tokens are checked with the last keys.
 */
export function createKeyFeed(options: {
  readonly client: Pick<Client, 'call'>;
  readonly callers: Callers;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pick<Ticker, 'stop'> & { start(): Promise<void> } {
  const { client, callers, path, clock, logger } = options;
  let text = '';
  let cancelSoon: () => void = () => undefined;
  const take = (set: unknown) => {
    const keys = readKeySet(set);
    if (keys.length > 0) callers.setKeys(keys);
    return keys.length > 0;
  };
  const ticker = createTicker({
    name: 'gateway.keys',
    clock,
    logger,
    everyMs: REFRESH_MS,
    async run() {
      const set = await client.call(gatewayCalls.getKeys, {});
      const next = JSON.stringify(set);
      if (next === text || !take(set)) return;
      text = next;
      await keep(path, set);
    },
  });
  return {
    async start() {
      const kept = await readKept(path, { what: 'public keys', read: (value) => value, logger });
      if (kept !== null && take(kept)) text = JSON.stringify(kept);
      ticker.start();
      const soon = () => {
        if (callers.hasKeys) return;
        ticker.wake();
        cancelSoon = clock.setTimeout(RETRY_MS, soon);
      };
      soon();
    },
    stop() {
      cancelSoon();
      return ticker.stop();
    },
  };
}
