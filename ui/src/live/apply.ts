import type { AnyEvent, CostReport, Decision, Instance, MetricPoint, Service, TeamEvent } from '@skyrun/contracts';
import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { keys } from '../api/queries.ts';
import { appendPoint, countInstances, patchCosts, pointOf, upsertInstance } from './reduce.ts';

/** Metrics are shown for at most this long. */
const KEEP_POINTS_MS = 3_600_000;
/** An owner may learn of an event after the page does; asked again after each of these. */
const SOON_MS = [300, 2000] as const;

interface Metrics {
  readonly stepMs: number;
  readonly points: MetricPoint[];
}
type Decisions = InfiniteData<{ items: Decision[]; nextCursor: string | null }>;

/** Brings the caches up to what an event says, and asks the owner again where the event does not say all. */
export class CacheFeed {
  readonly #queries: QueryClient;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>[]>();

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  apply(project: string, event: AnyEvent): void {
    switch (event.type) {
      case 'skyrun.instance.started.v1':
      case 'skyrun.instance.ready.v1':
      case 'skyrun.instance.answered.v1':
      case 'skyrun.instance.unready.v1':
      case 'skyrun.instance.paused.v1':
      case 'skyrun.instance.resumed.v1':
      case 'skyrun.instance.parked.v1':
      case 'skyrun.instance.draining.v1':
      case 'skyrun.instance.stopped.v1':
      case 'skyrun.instance.failed.v1':
        this.#instanceChanged(project, event.data);
        return;
      case 'skyrun.traffic.observed.v1': {
        const { service, instances } = event.data;
        this.#queries.setQueryData<Metrics>(keys.metrics(project, service), (metrics) =>
          metrics === undefined
            ? undefined
            : { ...metrics, points: appendPoint(metrics.points, pointOf(event.time, event.data), KEEP_POINTS_MS) },
        );
        this.#patchService(project, service, (known) => ({ ...known.status.instances, ...instances }));
        return;
      }
      case 'skyrun.scaling.decided.v1': {
        const { service, decision } = event.data;
        this.#queries.setQueryData<Decisions>(keys.decisions(project, service), (known) => {
          const [first, ...rest] = known?.pages ?? [];
          if (known === undefined || first === undefined) return known;
          const items = first.items.filter(
            (item) => item.at !== decision.at || item.revisionId !== decision.revisionId,
          );
          return { ...known, pages: [{ ...first, items: [decision, ...items] }, ...rest] };
        });
        return;
      }
      case 'skyrun.cost.updated.v1':
        this.#queries.setQueryData<CostReport>(keys.costs(project), (report) =>
          report === undefined ? undefined : patchCosts(report, event.data),
        );
        this.#askSoon(keys.costs(project));
        return;
      case 'skyrun.invoice.closed.v1':
      case 'skyrun.invoice.paid.v1':
      case 'skyrun.invoice.voided.v1':
      case 'skyrun.invoice.credited.v1':
        this.#askSoon(keys.invoices(project));
        this.#askSoon(keys.costs(project));
        return;
      case 'skyrun.service.created.v1':
      case 'skyrun.service.updated.v1':
      case 'skyrun.service.deleted.v1':
      case 'skyrun.revision.created.v1':
      case 'skyrun.revision.ready.v1':
      case 'skyrun.revision.failed.v1':
      case 'skyrun.revision.pruned.v1':
      case 'skyrun.traffic.moved.v1':
      case 'skyrun.rollout.decided.v1':
        this.#askSoon(keys.services(project));
        this.#askSoon(keys.service(project, event.data.service), true);
        this.#askSoon(keys.revisions(project, event.data.service));
        return;
      case 'skyrun.budget.exceeded.v1':
        this.#askSoon(keys.budgetAlerts(project));
        this.#askSoon(keys.costs(project));
        return;
      case 'skyrun.project.capped.v1':
      case 'skyrun.project.uncapped.v1':
        this.#askSoon(keys.services(project));
        this.#askSoon(keys.costs(project));
        return;
      case 'skyrun.key.created.v1':
      case 'skyrun.key.rotated.v1':
      case 'skyrun.key.revoked.v1':
        this.#askSoon(keys.apiKeys(project));
        return;
      case 'skyrun.image.imported.v1':
      case 'skyrun.image.deleted.v1':
        this.#askSoon(keys.images(project));
        return;
      case 'skyrun.secret.changed.v1':
      case 'skyrun.secret.deleted.v1':
        this.#askSoon(keys.secrets(project));
        return;
      case 'skyrun.domain.added.v1':
      case 'skyrun.domain.verified.v1':
      case 'skyrun.domain.lost.v1':
      case 'skyrun.domain.removed.v1':
        this.#askSoon(keys.domains(project));
        return;
      case 'skyrun.member.added.v1':
      case 'skyrun.member.removed.v1':
        this.#askSoon(keys.members(project));
        return;
      case 'skyrun.user.created.v1':
      case 'skyrun.project.created.v1':
      case 'skyrun.usage.recorded.v1':
      case 'skyrun.usage.lost.v1':
      case 'skyrun.usage.differed.v1':
      case 'skyrun.instance.sampled.v1':
      case 'skyrun.instance.admitted.v1':
      case 'skyrun.instance.ejected.v1':
      case 'skyrun.flow.observed.v1':
      case 'skyrun.calls.observed.v1':
      case 'skyrun.letters.grown.v1':
      case 'skyrun.schema.registered.v1':
      case 'skyrun.subscription.tested.v1':
        return;
      default:
        // A team's own; a type of the platform's that is not above does not compile.
        event satisfies TeamEvent;
    }
  }

  /** After a gap in the feed anything may have changed. */
  refetchAll(project: string): void {
    void this.#queries.invalidateQueries({ queryKey: keys.project(project) });
  }

  stop(): void {
    for (const timer of [...this.#timers.values()].flat()) clearTimeout(timer);
    this.#timers.clear();
  }

  #instanceChanged(project: string, changed: Instance): void {
    const key = keys.instances(project, changed.service);
    const before = this.#queries.getQueryData<Instance[]>(key);
    if (before !== undefined) {
      const after = upsertInstance(before, changed);
      this.#queries.setQueryData(key, after);
      this.#patchService(project, changed.service, () => countInstances(after));
    }
    this.#askSoon(keys.services(project));
    this.#askSoon(keys.service(project, changed.service), true);
    this.#askSoon(key);
    this.#askSoon(keys.starts(project, changed.service));
  }

  #patchService(project: string, name: string, instances: (service: Service) => Service['status']['instances']): void {
    const patch = (service: Service): Service =>
      service.name === name ? { ...service, status: { ...service.status, instances: instances(service) } } : service;
    this.#queries.setQueryData<Service>(keys.service(project, name), (known) => known && patch(known));
    this.#queries.setQueryData<Service[]>(keys.services(project), (known) => known?.map(patch));
  }

  /** Asks again shortly, once however many events ask for it. */
  #askSoon(queryKey: QueryKey, exact = false): void {
    const id = JSON.stringify(queryKey);
    if (this.#timers.has(id)) return;
    const timers = SOON_MS.map((delay, index) =>
      setTimeout(() => {
        if (index === SOON_MS.length - 1) this.#timers.delete(id);
        void this.#queries.invalidateQueries({ queryKey, exact });
      }, delay),
    );
    this.#timers.set(id, timers);
  }
}
