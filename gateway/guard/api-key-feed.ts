import { gatewayCalls } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import { keep, readKept } from '../feed/kept.ts';
import type { Callers } from './callers.ts';

/** A revoked key is refused after at most this, and a new one taken. */
const REFRESH_MS = 2_000;

/**
 * Keeps the digests of all API keys, in memory and on disk, and tells identity which were used. With identity gone, also over a
 * restart, keys are checked against what was known last.
 */
export function createApiKeyFeed(options: {
  readonly client: Pick<Client, 'call'>;
  readonly callers: Callers;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pick<Ticker, 'stop'> & { start(): Promise<void> } {
  const { client, callers, path, clock, logger } = options;
  let version = '';
  let unsaid: string[] = [];
  let away = false;
  const sync = () => client.call(gatewayCalls.syncApiKeys, { body: { version, used: unsaid } });
  const ticker = createTicker({
    name: 'gateway.api-keys',
    clock,
    logger,
    everyMs: REFRESH_MS,
    async run() {
      unsaid = [...new Set([...unsaid, ...callers.takeUsedApiKeys()])].slice(0, 10_000);
      let answer: Awaited<ReturnType<typeof sync>>;
      try {
        answer = await sync();
      } catch (error) {
        // Once: identity is asked again at once, and may be away for long.
        if (!away) logger.warn({ error }, 'cannot ask for API keys; the last known ones are in force');
        away = true;
        return;
      }
      away = false;
      unsaid = [];
      if (answer.keys === null) return;
      callers.setApiKeys(answer.keys);
      version = answer.version;
      await keep(path, answer);
    },
  });
  return {
    async start() {
      const read = (value: unknown) => gatewayCalls.syncApiKeys.response.parse(value).keys;
      // The version is not kept: another installation may have numbered its changes alike.
      const keys = await readKept(path, { what: 'API keys', read, logger });
      if (keys !== null) callers.setApiKeys(keys);
      ticker.start();
    },
    stop: () => ticker.stop(),
  };
}
