import fc from 'fast-check';
import type { Span } from '../aggregate/spans.ts';
import type { StoredUsageRow } from '../aggregate/usage-row.ts';

export const JANUARY = Date.UTC(2026, 0, 1);
export const TIER_1 = 'cloud-run-tier-1@2024-01-01T00:00:00Z';

export function usageRow(fields: Partial<StoredUsageRow> & { readonly seq: number }): StoredUsageRow {
  const windowStart = fields.windowStart ?? JANUARY;
  const windowEnd = fields.windowEnd ?? windowStart + 1000;
  return {
    project: 'demo',
    key: `k${fields.seq}`,
    kind: 'requests',
    service: 'api',
    revisionName: 'api-00001',
    instanceId: 'ins_1',
    billingMode: 'request',
    cpuMilli: 1000,
    memoryMib: 512,
    requests: 1,
    bytesIn: 0,
    bytesOut: 0,
    busy: [[windowStart, windowEnd]],
    minInstance: false,
    state: 'running',
    priceList: TIER_1,
    ...fields,
    windowStart,
    windowEnd,
  };
}

const INSTANCES = [
  {
    instanceId: 'ins_1',
    service: 'api',
    revisionName: 'api-00001',
    billingMode: 'request',
    cpuMilli: 1000,
    memoryMib: 512,
  },
  {
    instanceId: 'ins_2',
    service: 'api',
    revisionName: 'api-00002',
    billingMode: 'request',
    cpuMilli: 333,
    memoryMib: 777,
  },
  {
    instanceId: 'ins_3',
    service: 'web',
    revisionName: 'web-00001',
    billingMode: 'instance',
    cpuMilli: 2000,
    memoryMib: 256,
  },
  { instanceId: '', service: 'web', revisionName: 'web-00001', billingMode: 'request', cpuMilli: 0, memoryMib: 0 },
] as const;

/** How long the generated usage lasts, ms: short, so that rows overlap much. */
export const LASTS_MS = 4_000;

/** Usage of a few instances by several sources, overlapping at random; arrival order is that of the array. */
export const usageRows: fc.Arbitrary<StoredUsageRow[]> = fc
  .array(
    fc.record({
      instance: fc.constantFrom(...INSTANCES),
      kind: fc.constantFrom('requests' as const, 'lifetime' as const),
      from: fc.nat(LASTS_MS - 1),
      lasts: fc.integer({ min: 1, max: 1500 }),
      cuts: fc.array(fc.nat(1500), { maxLength: 6 }),
      requests: fc.nat(5_000_000),
      bytesOut: fc.nat(2 ** 31),
      minInstance: fc.boolean(),
      state: fc.constantFrom('starting' as const, 'running' as const, 'paused' as const, 'stopping' as const),
    }),
    { maxLength: 40 },
  )
  .map((drafts) =>
    drafts.map(({ instance, kind, from, lasts, cuts, requests, bytesOut, minInstance, state }, index) => {
      const windowStart = JANUARY + from;
      return usageRow({
        ...instance,
        seq: index + 1,
        kind,
        windowStart,
        windowEnd: windowStart + lasts,
        busy: spansBetween(windowStart, windowStart + lasts, cuts),
        requests: kind === 'requests' ? requests : 0,
        bytesOut: kind === 'requests' ? bytesOut : 0,
        minInstance: kind === 'lifetime' && minInstance,
        state: kind === 'lifetime' ? state : 'running',
      });
    }),
  );

/** Spans that alternate at the cuts, beginning busy. */
function spansBetween(start: number, end: number, cuts: readonly number[]): Span[] {
  const inside = cuts.map((cut) => start + cut).filter((at) => at > start && at < end);
  const edges = [...new Set([start, ...inside, end])].sort((a, b) => a - b);
  return edges
    .slice(0, -1)
    .flatMap((edge, index): Span[] => (index % 2 === 0 ? [[edge, edges[index + 1] ?? end]] : []));
}

/** The same usage, reported in two windows; null where the row is too short. */
export function splitRow(row: StoredUsageRow, at: number): [StoredUsageRow, StoredUsageRow] | null {
  if (at <= row.windowStart || at >= row.windowEnd) return null;
  const clip = (low: number, high: number): Span[] =>
    row.busy.flatMap(([start, end]): Span[] =>
      Math.max(start, low) < Math.min(end, high) ? [[Math.max(start, low), Math.min(end, high)]] : [],
    );
  const requests = Math.floor(row.requests / 3);
  const bytesOut = Math.floor(row.bytesOut / 7);
  return [
    { ...row, windowEnd: at, busy: clip(row.windowStart, at), requests, bytesOut },
    {
      ...row,
      key: `${row.key}+`,
      seq: row.seq + 0.5,
      windowStart: at,
      busy: clip(at, row.windowEnd),
      requests: row.requests - requests,
      bytesOut: row.bytesOut - bytesOut,
    },
  ];
}
