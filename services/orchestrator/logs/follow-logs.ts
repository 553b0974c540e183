import type { LogLine } from '@skyrun/contracts';
import { type Clock, isoTime } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Reads, ServiceQuery } from '../store/reads.ts';
import { createMerge } from './merge.ts';

export interface LogQuery extends ServiceQuery {
  readonly follow: boolean;
  /** Lines of the past at most, over all instances. */
  readonly tail: number;
}

export interface LogSources {
  readonly reads: Reads;
  readonly runtime: Runtime;
  readonly clock: Clock;
}

/** Ended instances are shown for so long. */
const ENDED_WITHIN_MS = 3_600_000;
const NEW_INSTANCES_EVERY_MS = 500;
/** A new instance is followed from its first line on; more than that were not written in half a second. */
const FROM_THE_START = 10_000;

/** The past of all instances by time, then, where asked, what they and new ones go on to write. */
export async function* followLogs(sources: LogSources, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
  const { reads, clock } = sources;
  const records = await reads.serviceInstances({ ...query, endedSince: clock.now() - ENDED_WITHIN_MS });
  const live = records.filter(({ endedAt }) => endedAt === null);
  const ended = records.filter(({ endedAt }) => endedAt !== null);
  const past = await reads.keptLogs(ended.map(({ instanceId }) => instanceId));
  const seen = new Map<string, string>();
  for (const record of live) {
    for await (const line of instanceLines(sources, record, { follow: false, tail: query.tail })) {
      past.push(line);
      seen.set(record.instanceId, line.at);
    }
  }
  const sorted = past.toSorted((a, b) => a.at.localeCompare(b.at));
  if (query.tail > 0) yield* sorted.slice(-query.tail);
  if (!query.follow) return;
  yield* followLive(sources, query, live, countLast(past, seen), signal);
}

interface Seen {
  readonly at: string;
  /** How many lines of that millisecond were shown. */
  readonly count: number;
}

function countLast(past: readonly LogLine[], seen: ReadonlyMap<string, string>): Map<string, Seen> {
  return new Map(
    [...seen].map(([instanceId, at]) => [
      instanceId,
      { at, count: past.filter((line) => line.instanceId === instanceId && line.at === at).length },
    ]),
  );
}

async function* followLive(
  sources: LogSources,
  query: LogQuery,
  live: readonly InstanceRecord[],
  shown: ReadonlyMap<string, Seen>,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const merge = createMerge<LogLine>();
  const followed = new Set<string>();
  const join = (record: InstanceRecord) => {
    if (followed.has(record.instanceId)) return;
    followed.add(record.instanceId);
    const lines = instanceLines(sources, record, { follow: true, tail: FROM_THE_START, signal: stop });
    merge.add(after(lines, shown.get(record.instanceId)));
  };
  const lookForNew = async () => {
    while (!stop.aborted) {
      await sources.clock.sleep(NEW_INSTANCES_EVERY_MS, stop);
      const records = await sources.reads.serviceInstances({ ...query, endedSince: sources.clock.now() });
      records.forEach(join);
    }
  };
  live.forEach(join);
  stop.addEventListener('abort', () => merge.end(), { once: true });
  lookForNew().catch((error: unknown) => merge.end(stop.aborted ? undefined : error));
  try {
    yield* merge;
  } finally {
    over.abort();
  }
}

/** The lines that were not shown yet: those after the last one shown, which may share its millisecond. */
async function* after(lines: AsyncIterable<LogLine>, seen: Seen | undefined): AsyncIterable<LogLine> {
  let skip = seen?.count ?? 0;
  for await (const line of lines) {
    if (seen && line.at < seen.at) continue;
    if (seen && line.at === seen.at && skip > 0) {
      skip -= 1;
      continue;
    }
    yield line;
  }
}

async function* instanceLines(
  { runtime }: LogSources,
  { instanceId, revisionName }: InstanceRecord,
  options: { follow: boolean; tail: number; signal?: AbortSignal },
): AsyncIterable<LogLine> {
  for await (const { at, stream, text } of runtime.logs(instanceId, options)) {
    yield { at: isoTime(at), instanceId, revisionName, stream, text };
  }
}
