import { type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { Leader } from '../reconcile/leader.ts';
import type { Handover } from '../store/handover.ts';
import { reportTraffic } from '../usecases/report-traffic.ts';
import type { TrafficIntake } from './intake.ts';

export interface HandedOver {
  readonly handover: Handover;
  readonly intake: TrafficIntake;
  readonly leader: Leader;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An older report says nothing about now. */
const MAX_AGE_MS = 10_000;
/** In case that a notification was lost. */
const LOOK_EVERY_MS = 5_000;

/** While it leads, takes up the reports that others were given, from those before its term on. Answers what ends it. */
export function takeHandedOver({ handover, intake, leader, clock, logger }: HandedOver): () => void {
  const ticker = createTicker({
    name: 'orchestrator.handover',
    clock,
    logger,
    everyMs: LOOK_EVERY_MS,
    run: async () => {
      for (const report of await handover.take(MAX_AGE_MS)) reportTraffic({ intake, leader, clock, logger, report });
    },
  });
  const listening = handover.listen(() => ticker.wake());
  listening.catch((error: unknown) =>
    logger.warn({ error }, 'reports that others take are only looked for now and then'),
  );
  ticker.start();
  ticker.wake();
  return () => {
    ticker.stop().catch((error: unknown) => logger.debug({ error }, 'the last look for reports failed'));
    listening.then((stop) => stop()).catch((error: unknown) => logger.debug({ error }, 'listening did not end well'));
  };
}
