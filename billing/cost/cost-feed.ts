import type { EventBus } from '@skyrun/bus';
import type { CostReport, SkyrunEvent } from '@skyrun/contracts';
import { type Clock, createTicker, isoTime, type Logger, newId, type Ticker } from '@skyrun/kit';

export interface CostFeed extends Pick<Ticker, 'start' | 'stop'> {
  /** Says that the cost of these projects may have changed. */
  touch(projects: readonly string[]): void;
}

/** Live events are numbered apart from those of the outbox, which share the subject. */
const LIVE_SOURCE = '/skyrun/billing/live';
const EVERY_MS = 2_000;

/** Publishes `skyrun.cost.updated.v1` of projects whose cost changed, each at most once per two seconds. */
export function createCostFeed(options: {
  readonly bus: Pick<EventBus, 'publish'>;
  readonly clock: Clock;
  readonly logger: Logger;
  getCosts(project: string): Promise<CostReport>;
}): CostFeed {
  const { bus, clock, logger, getCosts } = options;
  const touched = new Set<string>();
  const published = new Map<string, string>();
  let sequence = 0;

  const publish = async (project: string) => {
    const { currency, exactTotal, services } = await getCosts(project);
    const content = JSON.stringify([currency, exactTotal, services]);
    if (published.get(project) === content) return;
    sequence += 1;
    const event: SkyrunEvent<'skyrun.cost.updated.v1'> = {
      specversion: '1.0',
      id: newId('event', clock),
      source: LIVE_SOURCE,
      type: 'skyrun.cost.updated.v1',
      subject: `projects/${project}`,
      time: isoTime(clock.now()),
      datacontenttype: 'application/json',
      project,
      sequence,
      data: {
        project,
        currency,
        exactTotal,
        services: services.map(({ service, exactAmount }) => ({ service, exactAmount })),
      },
    };
    await bus.publish([event]);
    published.set(project, content);
  };

  const ticker = createTicker({
    name: 'cost-feed',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run(signal) {
      for (const project of [...touched]) {
        if (signal.aborted) return;
        touched.delete(project);
        try {
          await publish(project);
        } catch (error) {
          // A gap in the live feed costs nothing; the next usage of the project publishes again.
          logger.warn({ project, error }, 'live cost was not published');
        }
      }
    },
  });

  return {
    touch(projects) {
      for (const project of projects) touched.add(project);
    },
    start: () => ticker.start(),
    stop: () => ticker.stop(),
  };
}
