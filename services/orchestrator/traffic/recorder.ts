import { type AnyEvent, latencyQuantile, parseEvent } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger, newId } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';
import type { InstanceCounts, World } from '../reconcile/world.ts';
import type { MetricRow, MetricsStore } from '../store/metrics-store.ts';
import type { TrafficIntake } from './intake.ts';
import { addTally, emptyTally, isEmpty, type Tally } from './tally.ts';

/** Width of a stored point. */
export const METRIC_STEP_MS = 5_000;

export interface TrafficPublisher {
  publish(events: readonly AnyEvent[]): Promise<void>;
}

export interface RecorderOptions {
  readonly world: World;
  readonly intake: TrafficIntake;
  readonly metrics: MetricsStore;
  readonly bus: TrafficPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TrafficRecorder {
  /** Once a second: one live event per service that had traffic or whose instances changed, and the metrics of a full step. */
  tick(): Promise<void>;
  /** Writes what has been measured of the open step. */
  flush(): Promise<void>;
}

interface ServiceSecond {
  readonly tally: Tally;
  ready: number;
  starting: number;
  readonly sample: DesiredRevision;
}

export function createTrafficRecorder(options: RecorderOptions): TrafficRecorder {
  const { world, intake, metrics, bus, clock, logger } = options;
  const step = new Map<string, Tally>();
  const shown = new Map<string, string>();
  let stepStart = Math.floor(clock.now() / METRIC_STEP_MS) * METRIC_STEP_MS;
  let published = clock.now();

  function seconds(drained: ReadonlyMap<string, Tally>): Map<string, ServiceSecond> {
    const services = new Map<string, ServiceSecond>();
    for (const desired of world.desired?.values() ?? []) {
      const { serviceId, id } = desired.revision;
      const second = services.get(serviceId) ?? { tally: emptyTally(), ready: 0, starting: 0, sample: desired };
      const tally = drained.get(id);
      if (tally) addTally(second.tally, tally);
      const counts = world.counts(id);
      second.ready += counts.ready;
      second.starting += counts.starting;
      services.set(serviceId, second);
    }
    return services;
  }

  function publish(services: ReadonlyMap<string, ServiceSecond>, windowMs: number, now: number): Promise<void> {
    const events: AnyEvent[] = [];
    for (const [serviceId, { tally, ready, starting, sample }] of services) {
      const instances = `${ready}/${starting}`;
      const changed = shown.get(serviceId) !== instances;
      // One silent second after traffic shows that it is over.
      const active = !isEmpty(tally);
      const wasActive = shown.has(`${serviceId} active`);
      if (!changed && !active && !wasActive) continue;
      shown.set(serviceId, instances);
      if (active) shown.set(`${serviceId} active`, '');
      else shown.delete(`${serviceId} active`);
      events.push(observedEvent(sample, tally, { ready, starting }, windowMs, now, newId('event', clock)));
    }
    return events.length === 0 ? Promise.resolve() : bus.publish(events);
  }

  async function flush(): Promise<void> {
    const rows: MetricRow[] = [];
    for (const desired of world.desired?.values() ?? []) {
      const { id, project, service } = desired.revision;
      const tally = step.get(id);
      const instances = world.counts(id);
      if (!tally && instances.ready + instances.starting === 0) continue;
      rows.push({ project, service, revisionId: id, at: stepStart, tally: tally ?? emptyTally(), instances });
    }
    await metrics.write(rows);
    step.clear();
  }

  return {
    async tick() {
      const now = clock.now();
      const windowMs = Math.max(1, now - published);
      published = now;
      const drained = intake.drain();
      for (const [revisionId, tally] of drained) {
        const sum = step.get(revisionId) ?? emptyTally();
        addTally(sum, tally);
        step.set(revisionId, sum);
      }
      try {
        await publish(seconds(drained), windowMs, now);
      } catch (error) {
        // A live figure that nobody saw is worth no retry: the next second brings another.
        logger.debug({ error }, 'live traffic could not be published');
      }
      const current = Math.floor(now / METRIC_STEP_MS) * METRIC_STEP_MS;
      if (current === stepStart) return;
      await flush();
      stepStart = current;
    },
    flush,
  };
}

function observedEvent(
  { revision }: DesiredRevision,
  tally: Readonly<Tally>,
  instances: InstanceCounts,
  windowMs: number,
  now: number,
  id: string,
): AnyEvent {
  const { project, service, serviceId } = revision;
  return parseEvent({
    specversion: '1.0',
    id,
    source: '/skyrun/orchestrator/traffic',
    type: 'skyrun.traffic.observed.v1',
    subject: `services/${project}/${service}`,
    time: isoTime(now),
    datacontenttype: 'application/json',
    project,
    // Grows, which is all that a live figure needs; numbers without gaps would cost a transaction.
    sequence: now,
    data: {
      project,
      service,
      serviceId,
      windowMs,
      requestsPerSecond: (tally.requests * 1000) / windowMs,
      concurrency: tally.concurrencyMs / windowMs,
      queued: tally.queued,
      statusClasses: tally.statusClasses,
      p50Ms: latencyQuantile(tally.latencyBuckets, 0.5),
      p95Ms: latencyQuantile(tally.latencyBuckets, 0.95),
      p99Ms: latencyQuantile(tally.latencyBuckets, 0.99),
      instances,
    },
  });
}
