import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Client, Clock, Logger, Readiness } from '@skyrun/kit/base';
import { type AccessLogOptions, createAccessLog } from './access-log/access-log.ts';
import { BreakerNews } from './breaker/breaker-news.ts';
import { CallBook } from './calls/call-book.ts';
import { createCallNews } from './calls/call-news.ts';
import { sentApiKey } from './calls/sent-api-key.ts';
import { costField } from './cost/request-cost.ts';
import { ReaderPool } from './downstream/reader-pool.ts';
import { SmallPieces } from './downstream/small-pieces.ts';
import type { TlsOptions } from './edge/tls-edge.ts';
import { createFeeds } from './feed/feeds.ts';
import { Callers } from './guard/callers.ts';
import type { GuardDeps } from './guard/guard.ts';
import { guardOf } from './guard/guard-book.ts';
import { Buckets, type SharedBuckets } from './limit/buckets.ts';
import { type ConnectionCaps, ConnectionGate } from './limit/connection-gate.ts';
import { createListener } from './listener.ts';
import { createHeapTrim } from './memory/trim.ts';
import { Meter } from './meter/meter.ts';
import { createObserver } from './observe/observer.ts';
import { type GatewayCore, type GatewayLimits, Stats } from './pipeline/core.ts';
import { createDecide } from './pipeline/decide.ts';
import type { Destination } from './pipeline/destination.ts';
import { createDispatch } from './pipeline/dispatch.ts';
import { HttpDate } from './pipeline/http-date.ts';
import { RandomHex } from './pipeline/ids.ts';
import { createAdminServer, registerMetrics } from './platform/admin.ts';
import { Assets } from './platform/assets.ts';
import { PlatformRouter, type PlatformUrls } from './platform/platform-router.ts';
import { TrafficReporter } from './report/reporter.ts';
import { Waker } from './report/waker.ts';
import { RouteTable } from './routing/route-table.ts';
import { Spool } from './spool/spool.ts';
import type { UsagePublisher } from './spool/spool-publisher.ts';
import { TeamRoutes } from './team/team-routes.ts';
import { createTraces, type TraceOptions } from './trace/traces.ts';
import { createUpkeep } from './upkeep.ts';
import { ClientTally } from './view/client-tally.ts';
import { processUsage } from './view/process-usage.ts';
import { createViewReporter } from './view/view-reporter.ts';
import { Viewer } from './view/viewer.ts';

export interface GatewayDeps {
  /** Stable name of this process; its spool and its usage keys carry it. */
  readonly id: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly adminPort: number;
  /** Share the port with other gateway processes. */
  readonly reusePort: boolean;
  readonly baseDomain: string;
  /** Routes and spool of this gateway lie below it. */
  readonly dataDir: string;
  readonly uiDir: string;
  readonly platform: PlatformUrls;
  readonly registry: Pick<Client, 'stream'>;
  readonly orchestrator: Pick<Client, 'call'>;
  readonly billing: Pick<Client, 'call'>;
  readonly identity: Pick<Client, 'call'>;
  readonly events: Pick<Client, 'call'>;
  /** Rate limits of several gateways are one through it; null: each limits on its own. */
  readonly sharedBuckets: SharedBuckets | null;
  readonly bus: UsagePublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<GatewayLimits>;
  /** Absent: no limit. */
  readonly caps?: ConnectionCaps;
  /** Absent: no access log. */
  readonly accessLog?: AccessLogOptions;
  /** Absent: nothing is traced. */
  readonly traces?: TraceOptions;
  /** Absent: no encrypted port. */
  readonly tls?: TlsOptions;
}

export interface Gateway {
  /** Resolves when it listens; false: it was stopped before, or started already. Rejects with EADDRINUSE and the like. */
  start(): Promise<boolean>;
  /** Takes nothing new, lets what runs end, writes and publishes usage. May come before start, and twice. */
  stop(): Promise<void>;
  /** Throws while it does not listen. */
  address(): AddressInfo;
  adminAddress(): AddressInfo;
  /** Throws where there is no encrypted port. */
  tlsAddress(): AddressInfo;
  ready(): Readiness;
  /** The access log's file was moved away: goes on with a new one of its name. */
  reopenLog(): void;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  headerMs: 10_000,
  restMs: 2000,
  idleMs: 75_000,
  stallMs: 30_000,
  connectMs: 3000,
  waitMs: 120_000,
  roomBounds: { requests: 1000, bytes: 33_554_432 },
  drainMs: 10_000,
  drainIdleMs: 1000,
};

/** A little longer than a waiting page waits before it asks again. */
const PAGE_WAITS_MS = 2000;

/** One gateway process. Reading it from top to bottom is reading the way of a request. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { clock, logger } = deps;
  const limits: GatewayLimits = { ...DEFAULT_LIMITS, ...deps.limits };
  const dataDir = join(deps.dataDir, 'gateway', deps.id);
  const began = clock.now();
  const random = new RandomHex();

  const breakerNews = new BreakerNews({ gateway: deps.id, bus: deps.bus, clock, logger });
  const buckets = new Buckets({ shares: deps.sharedBuckets !== null });
  const callers = new Callers();
  const calls = new CallBook();
  const callNews = createCallNews({ gateway: deps.id, book: calls, bus: deps.bus, clock, logger });
  const guardDeps: GuardDeps = {
    buckets,
    callers,
    calls,
    // Each request sets it before it is asked.
    monotonic: () => core.exact,
    now: () => clock.now(),
    onLimited(place, limit) {
      core.stats.limited += 1;
      viewer.onLimited(place, limit);
    },
  };
  const assets = new Assets({ directory: deps.uiDir, clock, logger });
  const teams = new TeamRoutes({ baseDomain: deps.baseDomain, roomBounds: limits.roomBounds, guardDeps });
  const platform = new PlatformRouter({
    urls: deps.platform,
    assets,
    roomBounds: limits.roomBounds,
    now: () => clock.monotonic(),
  });
  const spool = new Spool({
    gateway: deps.id,
    epoch: `${Math.floor(began).toString(36)}${random.take(4)}`,
    dataDir,
    bus: deps.bus,
    clock,
    logger,
  });
  const meter = new Meter({
    now: began,
    monotonic: clock.monotonic(),
    onActive: (at) => spool.onActive(at),
    onWindow: (usages, end, active) => spool.onWindow(usages, end, active),
  });
  const reporter = new TrafficReporter({
    gateway: deps.id,
    client: deps.orchestrator,
    clock,
    logger,
    onWindow: (destination, traffic) => viewer.onTraffic(destination, traffic),
  });
  const waker = new Waker({
    client: deps.orchestrator,
    clock,
    logger,
    onResumed: (destination) => dispatch.drainRoom(destination, clock.monotonic()),
    otherwise: (destination) => reporter.activate(destination),
  });
  const dispatch = createDispatch({
    activate: (destination) => (destination.hasPaused ? waker.wake(destination) : reporter.activate(destination)),
  });
  const table = new RouteTable({
    roomBounds: limits.roomBounds,
    now: () => clock.monotonic(),
    guardOf: (route) => guardOf(route, guardDeps),
    onBreaker: (destination, instance, open) => {
      breakerNews.tell(destination, instance, open);
      viewer.onBreaker(destination, instance, open);
    },
    onChanged: (destination) => {
      if (destination.hasDraining) reporter.list(destination);
      dispatch.drainRoom(destination, clock.monotonic());
    },
    onRetired: (destination, host) =>
      dispatch.moveWaiting(destination, table.find(host) ? host : null, table, clock.monotonic()),
  });
  /** Somebody looks at a waiting page: that counts as a request that waits until the page has looked again. */
  const wanted = (destination: Destination) => {
    destination.traffic.arrive(clock.monotonic());
    if (!destination.listed) reporter.list(destination);
    reporter.activate(destination);
    clock.setTimeout(PAGE_WAITS_MS, () => destination.traffic.move(clock.monotonic()));
  };
  const { registry, identity, events, billing } = deps;
  const feeds = createFeeds({ registry, identity, events, billing, table, teams, callers, dataDir, clock, logger });
  const traces =
    deps.traces === undefined
      ? null
      : createTraces({ ...deps.traces, gateway: deps.id, prices: feeds, random, clock, logger });
  const accessLog =
    deps.accessLog === undefined ? null : createAccessLog({ ...deps.accessLog, gateway: deps.id, clock, logger });
  const gate = new ConnectionGate(deps.caps ?? { total: 0, perAddress: 0 });
  const core: GatewayCore = {
    clock,
    logger,
    limits,
    meter,
    random,
    date: new HttpDate(clock),
    observer: createObserver({ random, traces, log: accessLog }),
    stats: new Stats(),
    connections: new Set(),
    clients: new ClientTally(),
    warm: new Set(),
    readers: new ReaderPool(),
    smallPieces: new SmallPieces(),
    now: Math.floor(clock.monotonic()),
    exact: clock.monotonic(),
    draining: false,
    lastAttempt: null,
    decide: createDecide({
      table,
      teams,
      platform,
      baseDomain: deps.baseDomain,
      activate: wanted,
      callOf(fields, { project, service }) {
        const text = sentApiKey(fields);
        if (text === undefined) return null;
        return calls.of(callers.identifyApiKey(text, clock.now()), { project, kind: 'service', name: service });
      },
      ...(deps.tls?.acme ? { challenge: (target: string) => listener.challenge(target) } : {}),
    }),
    costField: ({ revision }, ms, until) =>
      revision === null ? '' : costField(revision, feeds.rates(revision.project), ms, until),
    onEncrypted: null,
    onTraffic: (destination) => reporter.list(destination),
    onWaiting: dispatch.onWaiting,
    drainRoom: dispatch.drainRoom,
  };
  const viewer = new Viewer({
    gateway: deps.id,
    core,
    table,
    clients: core.clients,
    busy: () => reporter.listed(),
    clock,
    registryLive: () => feeds.live(),
    invalidRoutes: feeds.invalidRoutes,
    sharedLimits: () => (deps.sharedBuckets === null ? 'alone' : buckets.shared ? 'shared' : 'unreachable'),
    usage: processUsage,
  });
  const views = createViewReporter({ gateway: deps.id, viewer, client: deps.orchestrator, clock, logger });
  // Made when Prometheus first asks: requests pay nothing for it, and a gateway that nobody scrapes saves ten megabytes.
  const openMetrics = async () => {
    const { createMetrics } = await import('@skyrun/kit/metrics');
    const metrics = createMetrics({ defaults: true });
    traces?.register(metrics);
    accessLog?.register(metrics);
    registerMetrics(metrics, { core, gate, table, invalidRoutes: feeds.invalidRoutes, viewer });
    return metrics;
  };
  const ready = (): Readiness => ({
    ok: listener.listening() && !core.draining && feeds.known(),
    checks: {
      listening: listener.listening() ? 'ok' : 'not yet',
      routes: feeds.known() ? 'ok' : 'none known yet',
      registry: feeds.live() ? 'ok' : 'does not answer; the last known routes are in force',
    },
  });
  const admin = createAdminServer({ openMetrics, table, invalidRoutes: feeds.invalidRoutes, ready });
  const { host, port, reusePort, baseDomain, tls } = deps;
  const listener = createListener({ core, gate, table, teams, host, port, reusePort, baseDomain, tls, clock, logger });

  function* destinations(): Iterable<Destination> {
    yield* table.destinations();
    yield* platform.destinations();
    yield* teams.destinations();
  }
  const trim = createHeapTrim();
  const upkeep = createUpkeep({
    core,
    dispatch,
    meter,
    buckets,
    sharedBuckets: deps.sharedBuckets,
    trim,
    clock,
  });

  let adminAddress: AddressInfo | undefined;
  let started = false;
  let listening: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  async function listen(): Promise<void> {
    adminAddress = await admin.listen(deps.adminPort);
    await listener.open();
  }

  async function start(): Promise<boolean> {
    if (started || stopping !== undefined) return false;
    started = true;
    await spool.start();
    traces?.start();
    await feeds.start();
    if (stopping !== undefined) return false;
    reporter.start();
    callNews.start();
    views.start();
    upkeep.start();
    trim.now();
    listening = listen();
    await listening;
    return true;
  }

  async function stop(): Promise<void> {
    if (!started) return;
    // What is about to listen can be closed only once it does; who starts hears of a failure.
    await listening?.catch(() => undefined);
    if (listener.listening()) await listener.drain();
    upkeep.stop();
    await Promise.all([feeds.stop(), reporter.stop(), callNews.stop(), views.stop()]);
    meter.finish(clock.monotonic(), clock.now());
    await Promise.all([spool.stop(), traces?.stop(), accessLog?.close()]);
    for (const destination of destinations()) {
      for (const instance of destination.instances) instance.upstreams.close();
    }
    if (adminAddress !== undefined) await admin.close();
    logger.info('stopped');
  }

  return {
    start,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    address: listener.address,
    adminAddress: () => {
      if (adminAddress === undefined) throw new Error('the gateway does not listen');
      return adminAddress;
    },
    tlsAddress: listener.tlsAddress,
    ready,
    reopenLog: () => accessLog?.reopen(),
  };
}
