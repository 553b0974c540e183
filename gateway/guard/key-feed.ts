import { readFile, rename, writeFile } from 'node:fs/promises';
import { OPERATIONS } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
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
      const set = await client.call(OPERATIONS.getKeys, {});
      const next = JSON.stringify(set);
      if (next === text || !take(set)) return;
      text = next;
      await writeFile(`${path}.new`, next, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  });
  return {
    async start() {
      try {
        text = await readFile(path, 'utf8');
        take(JSON.parse(text));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') logger.warn({ error }, 'cannot read the kept keys');
      }
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
