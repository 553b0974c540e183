import type { SkyrunEvent, UsageRecorded } from '@skyrun/contracts';
import type { Span } from '../aggregate/spans.ts';
import { LONGEST_WINDOW_MS, type UsageRow } from '../aggregate/usage-row.ts';

export type UsageEvent = SkyrunEvent<'skyrun.usage.recorded.v1'>;

/** Why usage cannot be billed. It is kept in `rejected_usage` under this name. */
export type UsageProblem =
  | 'usage.project_mismatch'
  | 'usage.window_reversed'
  | 'usage.window_too_long'
  | 'usage.window_in_future'
  | 'usage.quantity_out_of_range'
  | 'usage.busy_outside_window'
  | 'usage.key_conflict';

/** How far a producer's clock may be ahead of ours. */
export const CLOCK_AHEAD_MS = 300_000;

const INT4_MAX = 2_147_483_647;

export type CheckedUsage =
  | { readonly ok: true; readonly row: Omit<UsageRow, 'priceList'> }
  | { readonly ok: false; readonly problem: UsageProblem; readonly detail: string };

/** Turns an event into a row, or names what is wrong with it. `busyMs` is not believed: the spans are what counts. */
export function checkUsage(event: UsageEvent, now: number): CheckedUsage {
  const usage = event.data;
  const refuse = (problem: UsageProblem, detail: string): CheckedUsage => ({ ok: false, problem, detail });
  const windowStart = Date.parse(usage.windowStart);
  const windowEnd = Date.parse(usage.windowEnd);
  if (event.project !== undefined && event.project !== usage.project) {
    return refuse('usage.project_mismatch', `the event is of ${event.project}, its data of ${usage.project}`);
  }
  if (windowStart >= windowEnd) return refuse('usage.window_reversed', `${usage.windowStart} to ${usage.windowEnd}`);
  if (windowEnd - windowStart > LONGEST_WINDOW_MS) {
    return refuse('usage.window_too_long', `${windowEnd - windowStart} ms; at most ${LONGEST_WINDOW_MS}`);
  }
  if (windowStart > now + CLOCK_AHEAD_MS) {
    return refuse('usage.window_in_future', `${usage.windowStart} is ${windowStart - now} ms ahead`);
  }
  for (const field of ['requests', 'bytesIn', 'bytesOut', 'cpuMilli', 'memoryMib'] as const) {
    const most = field === 'cpuMilli' || field === 'memoryMib' ? INT4_MAX : Number.MAX_SAFE_INTEGER;
    if (usage[field] < 0 || usage[field] > most) {
      return refuse('usage.quantity_out_of_range', `${field}: ${usage[field]}; expected 0 to ${most}`);
    }
  }
  const outside = usage.busy.find(([start, end]) => start > end || start < windowStart || end > windowEnd);
  if (outside) {
    return refuse('usage.busy_outside_window', `[${outside[0]}, ${outside[1]}) of [${windowStart}, ${windowEnd})`);
  }
  return { ok: true, row: rowOf(usage, windowStart, windowEnd) };
}

function rowOf(usage: UsageRecorded, windowStart: number, windowEnd: number): Omit<UsageRow, 'priceList'> {
  const busy: Span[] = usage.busy.filter(([start, end]) => start < end);
  return {
    project: usage.project,
    key: usage.key,
    kind: usage.kind,
    service: usage.service,
    revisionName: usage.revisionName,
    instanceId: usage.instanceId,
    windowStart,
    windowEnd,
    billingMode: usage.billingMode,
    cpuMilli: usage.cpuMilli,
    memoryMib: usage.memoryMib,
    requests: usage.requests,
    bytesIn: usage.bytesIn,
    bytesOut: usage.bytesOut,
    busy,
    minInstance: usage.minInstance,
    state: usage.state,
  };
}
