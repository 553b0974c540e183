import type { MapEdge, MapNode, Registration, ServiceMap } from '@skyrun/contracts';
import { type CallSum, type FlowSum, type TrafficSum, WINDOW_MS } from '../consumers/window.ts';

/** Deliveries of one push subscription over the window. */
export interface PushSum {
  readonly name: string;
  readonly host: string;
  readonly types: readonly string[];
  readonly delivered: number;
  readonly failed: number;
  /** Milliseconds; null without a delivery. */
  readonly meanMs: number | null;
}

export interface MapInput {
  readonly traffic: readonly TrafficSum[];
  readonly calls: readonly CallSum[];
  readonly flows: readonly FlowSum[];
  readonly pushes: readonly PushSum[];
  readonly registrations: readonly Registration[];
  /** Groups of this project's teams, and those that its events flow to. */
  readonly groups: readonly {
    readonly name: string;
    readonly types: readonly string[];
    readonly seenAt: string | null;
  }[];
  /** Unix milliseconds. */
  readonly now: number;
}

const SECONDS = WINDOW_MS / 1000;
/** A group that said nothing for so long is not there any more. */
const SILENT_MS = 60_000;

/** Nodes and edges of one project, of what was seen in the window and of who says to be there. */
export function drawServiceMap(input: MapInput): ServiceMap {
  const nodes = new Map<string, MapNode>();
  const add = (node: MapNode) => {
    if (!nodes.has(node.id)) nodes.set(node.id, node);
    return node.id;
  };
  for (const node of teamNodes(input.registrations)) add(node);
  for (const { name, types, seenAt } of input.groups) {
    const here = seenAt !== null && Date.parse(seenAt) > input.now - SILENT_MS;
    add({ ...bare('group', name), health: here ? 'healthy' : 'expired', types: [...types] });
  }
  const edges = [
    ...input.traffic.flatMap((sum): MapEdge[] => {
      const to = add({
        ...bare('service', sum.service),
        health: sum.ready > 0 ? 'healthy' : 'unknown',
        copies: sum.ready,
      });
      const outside = withoutCalls(sum, input.calls);
      // The two are counted over windows that end at different moments.
      if (outside.requests < 1 && sum.requests >= 1) return [];
      return [
        {
          from: add(bare('edge', 'internet')),
          to,
          kind: 'http',
          perSecond: perSecond(outside.requests),
          errorRatio: ratio(outside.errors, outside.requests),
          latencyMs: sum.p95Ms,
          types: [],
        },
      ];
    }),
    ...input.calls.map(
      (sum): MapEdge => ({
        from: add(bare('team', sum.from)),
        to: add(bare(sum.kind, sum.to)),
        kind: 'http',
        perSecond: perSecond(sum.requests),
        errorRatio: ratio(sum.errors, sum.requests),
        latencyMs: sum.p95Ms,
        types: [],
      }),
    ),
    ...eventEdges(input.flows, add),
    ...input.pushes.map((sum): MapEdge => {
      const tries = sum.delivered + sum.failed;
      return {
        from: add(bare('platform', 'events')),
        to: add({ ...bare('webhook', sum.host), types: [...sum.types] }),
        kind: 'push',
        perSecond: perSecond(tries),
        errorRatio: ratio(sum.failed, tries),
        latencyMs: sum.meanMs,
        types: [...sum.types],
      };
    }),
  ];
  return { windowSeconds: SECONDS, nodes: [...nodes.values()], edges };
}

/** What is left of a service's traffic when the calls of team services are taken away. */
function withoutCalls({ service, requests, errors }: TrafficSum, calls: readonly CallSum[]) {
  const left = { requests, errors };
  for (const call of calls) {
    if (call.kind !== 'service' || call.to !== service) continue;
    left.requests -= call.requests;
    left.errors -= call.errors;
  }
  return { requests: Math.max(0, left.requests), errors: Math.max(0, left.errors) };
}

function eventEdges(flows: readonly FlowSum[], add: (node: MapNode) => string): MapEdge[] {
  const sums = new Map<
    string,
    { from: string; to: string; types: string[]; handled: number; failed: number; totalMs: number }
  >();
  for (const flow of flows) {
    const from = add(producerOf(flow.source));
    const to = add(bare('group', flow.group));
    const known = sums.get(`${from} ${to}`) ?? { from, to, types: [], handled: 0, failed: 0, totalMs: 0 };
    known.types.push(flow.type);
    known.handled += flow.handled;
    known.failed += flow.failed;
    known.totalMs += flow.totalMs;
    sums.set(`${from} ${to}`, known);
  }
  return [...sums.values()].map(({ from, to, types, handled, failed, totalMs }) => ({
    from,
    to,
    kind: 'event',
    perSecond: perSecond(handled),
    errorRatio: ratio(failed, handled),
    latencyMs: handled === 0 ? null : Math.round((totalMs / handled) * 10) / 10,
    types: types.sort(),
  }));
}

/** `/skyrun/registry` is a part of the platform, `/team/shop/checkout` a team's service. */
function producerOf(source: string): MapNode {
  const [, realm = '', first = '', second] = source.split('/');
  return realm === 'team' ? bare('team', second ?? first) : bare('platform', first || source);
}

function teamNodes(registrations: readonly Registration[]): MapNode[] {
  const byName = Map.groupBy(registrations, ({ name }) => name);
  return [...byName].map(([name, copies]) => {
    const there = copies.filter(({ health }) => health !== 'expired');
    return { ...bare('team', name), health: worst(there.map(({ health }) => health)), copies: there.length };
  });
}

function worst(states: readonly MapNode['health'][]): MapNode['health'] {
  for (const state of ['unhealthy', 'degraded', 'healthy'] as const) if (states.includes(state)) return state;
  return 'expired';
}

function bare(kind: MapNode['kind'], name: string): MapNode {
  return { id: `${kind}:${name}`, kind, name, health: 'unknown', copies: 0, types: [] };
}

const perSecond = (count: number) => Math.round((count / SECONDS) * 1000) / 1000;
const ratio = (part: number, whole: number) => (whole <= 0 ? 0 : Math.min(1, part / whole));
