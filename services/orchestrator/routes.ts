import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, type Clock, createApi, type Logger } from '@skyrun/kit';
import type { DesiredFollower } from './desired/follow-desired.ts';
import { followLogs } from './logs/follow-logs.ts';
import { isLogCursor, searchPage } from './logs/search.ts';
import type { Leader } from './reconcile/leader.ts';
import { routeInstanceOf, toInstance } from './reconcile/records.ts';
import type { Runtime } from './runtime/runtime.ts';
import { startPercentilesOf } from './starts/percentiles.ts';
import type { GatewayViews } from './store/gateway-views.ts';
import type { Handover } from './store/handover.ts';
import type { LogStore } from './store/log-store.ts';
import type { MetricsStore } from './store/metrics-store.ts';
import type { Reads } from './store/reads.ts';
import type { StartStore } from './store/start-store.ts';
import type { TrafficIntake } from './traffic/intake.ts';
import { METRIC_STEP_MS } from './traffic/recorder.ts';
import { metricPoints } from './usecases/get-metrics.ts';
import { importImage, importProblem } from './usecases/import-image.ts';
import { observeRevisions } from './usecases/observe-revisions.ts';
import { reportTraffic } from './usecases/report-traffic.ts';
import { requireService } from './usecases/require-service.ts';

export interface RoutesDeps {
  readonly desired: DesiredFollower;
  readonly reads: Reads;
  readonly metrics: MetricsStore;
  readonly logs: LogStore;
  readonly starts: StartStore;
  readonly runtime: Runtime;
  readonly intake: TrafficIntake;
  readonly handover: Handover;
  readonly gatewayViews: GatewayViews;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null where another process leads, or none does. */
  leader(): Leader | null;
  /** False until its tables are there. */
  started(): boolean;
}

/** How long ended instances are listed. */
const ENDED_WITHIN_MS = 3_600_000;

export function createRoutes(deps: RoutesDeps): Api {
  const { runtime, intake, clock, logger } = deps;
  const api = createApi();
  const store = () => {
    if (deps.started())
      return { reads: deps.reads, metrics: deps.metrics, handover: deps.handover, gatewayViews: deps.gatewayViews };
    throw new Problem('platform.unavailable', { detail: 'the orchestrator is starting', retryAfterSeconds: 1 });
  };

  api.handle(OPERATIONS.listInstances, async ({ params, query }) => {
    await requireService({ ...store(), desired: deps.desired }, params);
    const endedSince = query.all ? clock.now() - ENDED_WITHIN_MS : null;
    const cursor = query.cursor === undefined ? {} : { cursor: query.cursor };
    return store().reads.listInstances({ ...params, endedSince, limit: query.limit, ...cursor });
  });

  api.handle(OPERATIONS.followLogs, async ({ params, query, signal }) => {
    const { reads } = store();
    await requireService({ reads, desired: deps.desired }, params);
    return followLogs({ reads, logs: deps.logs, runtime, clock, logger }, { ...params, ...query }, signal);
  });

  api.handle(OPERATIONS.searchLogs, async ({ params, query }) => {
    const { reads } = store();
    await requireService({ reads, desired: deps.desired }, params);
    if (query.cursor !== undefined && !isLogCursor(query.cursor)) throw badCursor();
    return searchPage({ reads, logs: deps.logs, runtime, clock, logger }, { ...params, ...query });
  });

  api.handle(OPERATIONS.getMetrics, async ({ params, query }) => {
    await requireService({ ...store(), desired: deps.desired }, params);
    const now = clock.now();
    const since = now - query.sinceSeconds * 1000;
    const rows = await store().metrics.read({ ...params, since: since - METRIC_STEP_MS });
    return { stepMs: METRIC_STEP_MS, points: metricPoints(rows, since, now) };
  });

  api.handle(OPERATIONS.listDecisions, async ({ params, query }) => {
    await requireService({ ...store(), desired: deps.desired }, params);
    if (query.cursor !== undefined && !/^\d{1,18}$/.test(query.cursor)) {
      throw badCursor();
    }
    const cursor = query.cursor === undefined ? {} : { cursor: query.cursor };
    return store().reads.listDecisions({ ...params, limit: query.limit, ...cursor });
  });

  api.handle(OPERATIONS.listStarts, async ({ params, query }) => {
    await requireService({ ...store(), desired: deps.desired }, params);
    if (query.cursor !== undefined && !/^\d{1,18}$/.test(query.cursor)) throw badCursor();
    return deps.starts.list({ ...params, ...query });
  });

  api.handle(OPERATIONS.summarizeStarts, async ({ params, query: { revision, starts } }) => {
    await requireService({ ...store(), desired: deps.desired }, params);
    const { items } = await deps.starts.list({ ...params, revision, limit: starts });
    return { kinds: startPercentilesOf(items) };
  });

  api.handle(OPERATIONS.reportTraffic, async ({ body }) => {
    const leader = deps.leader();
    if (leader) reportTraffic({ intake, leader, clock, logger, report: body });
    else await store().handover.put(body);
    return undefined;
  });

  api.handle(OPERATIONS.showGateway, async ({ params, body }) => {
    if (body.gateway !== params.gateway) {
      throw new Problem('request.invalid', { detail: `gateway: expected ${params.gateway}, as in the path` });
    }
    await store().gatewayViews.put(body, clock.now());
    return undefined;
  });

  api.handle(OPERATIONS.listGateways, async () => ({ items: await store().gatewayViews.list(clock.now()) }));

  api.handle(OPERATIONS.observeRevisions, async ({ query }) => {
    const { project, service, since } = query;
    const rows = await store().metrics.read({ project, service, since: Date.parse(since) });
    return { revisions: observeRevisions(rows) };
  });

  api.handle(OPERATIONS.wakeRevision, async ({ body }) => {
    const { revisionId, waitingMs = 0, traceparent } = body;
    const waiting = { since: clock.now() - waitingMs, traceparent };
    // One that does not lead can wake nobody; the gateway asks in the other way, which any of them takes.
    const records = (await deps.leader()?.wakeUp(revisionId, waiting)) ?? [];
    return { resumed: records.flatMap(routeInstanceOf) };
  });

  api.handle(OPERATIONS.getObserved, async () => {
    const { reads } = store();
    const [instances, verdicts] = await Promise.all([reads.activeInstances(), reads.verdicts()]);
    return {
      instances: instances.map(toInstance),
      revisions: verdicts.map(({ revisionId, state, reason, message }) => ({
        revisionId,
        state,
        ...(reason === null ? {} : { reason }),
        ...(message === null ? {} : { message }),
      })),
    };
  });

  api.handle(OPERATIONS.importImage, ({ query, request, signal }) =>
    importImage({ runtime, logger, archive: request, ...query, signal }),
  );

  api.handle(OPERATIONS.removeImage, async ({ query }) => {
    try {
      await runtime.images.remove(query.reference);
    } catch (error) {
      throw importProblem(error);
    }
    return undefined;
  });

  return api;
}

function badCursor(): Problem {
  return new Problem('request.invalid', { detail: 'cursor: expected the nextCursor of the page before' });
}
