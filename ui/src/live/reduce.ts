import {
  type CostReport,
  type EventData,
  formatMoney,
  type Instance,
  type MetricPoint,
  parseMoney,
  type Service,
} from '@skyrun/contracts';

/** Without versions an instance only moves forward; what arrives late or twice must not move it back. */
const RANK: Readonly<Record<Instance['state'], number>> = {
  starting: 0,
  ready: 1,
  unready: 1,
  paused: 1,
  parked: 1,
  draining: 2,
  stopped: 3,
  failed: 3,
};

function isOlder(told: Instance, known: Instance): boolean {
  if (told.stateVersion !== undefined && known.stateVersion !== undefined)
    return told.stateVersion < known.stateVersion;
  return RANK[told.state] < RANK[known.state];
}

export const isLive = (instance: Instance): boolean => RANK[instance.state] < 3;

/** Puts what an event says about one instance into a list, newest first. */
export function upsertInstance(instances: readonly Instance[], changed: Instance): Instance[] {
  const known = instances.find((instance) => instance.id === changed.id);
  if (known === undefined) {
    return [changed, ...instances].sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
  }
  if (isOlder(changed, known)) return [...instances];
  return instances.map((instance) => (instance.id === changed.id ? { ...instance, ...changed } : instance));
}

export function countInstances(instances: readonly Instance[]): Service['status']['instances'] {
  const count = (state: Instance['state']) => instances.filter((instance) => instance.state === state).length;
  return { ready: count('ready'), starting: count('starting'), draining: count('draining') };
}

type TrafficObserved = EventData<'skyrun.traffic.observed.v1'>;

export function pointOf(time: string, traffic: TrafficObserved): MetricPoint {
  const { windowMs, requestsPerSecond, concurrency, queued, statusClasses, p50Ms, p95Ms, p99Ms, instances } = traffic;
  return { at: time, windowMs, requestsPerSecond, concurrency, queued, statusClasses, p50Ms, p95Ms, p99Ms, instances };
}

/** Appends a point in order of time; points older than `keepMs` before the newest are dropped. */
export function appendPoint(points: readonly MetricPoint[], point: MetricPoint, keepMs: number): MetricPoint[] {
  const at = Date.parse(point.at);
  const kept = points.filter((other) => Date.parse(other.at) > at - keepMs && other.at !== point.at);
  const before = kept.filter((other) => other.at < point.at);
  return [...before, point, ...kept.slice(before.length)];
}

/** Live cost of a report as an event of a moment later says it; lines and the rounded total follow by request. */
export function patchCosts(report: CostReport, cost: EventData<'skyrun.cost.updated.v1'>): CostReport {
  const exact = new Map(cost.services.map(({ service, exactAmount }) => [service, exactAmount]));
  return {
    ...report,
    exactTotal: cost.exactTotal,
    exactSubtotal: formatMoney(cost.services.reduce((sum, { exactAmount }) => sum + parseMoney(exactAmount), 0n)),
    services: report.services.map((line) => ({ ...line, exactAmount: exact.get(line.service) ?? line.exactAmount })),
  };
}
