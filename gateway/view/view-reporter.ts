import { gatewayCalls } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import type { Viewer } from './viewer.ts';

const EVERY_MS = 2000;

/** Shows operators what this gateway is doing. One view replaces the one before it: what could not be sent is not kept. */
export function createViewReporter(options: {
  readonly gateway: string;
  readonly viewer: Viewer;
  readonly client: Pick<Client, 'call'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pick<Ticker, 'start' | 'stop'> {
  const { gateway, viewer, client, clock, logger } = options;
  return createTicker({
    name: 'gateway.view',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run(signal) {
      const view = viewer.take();
      try {
        await client.call(gatewayCalls.showGateway, { params: { gateway }, body: view, signal });
      } catch (error) {
        logger.debug({ error }, 'the orchestrator takes no view');
      }
    },
  });
}
