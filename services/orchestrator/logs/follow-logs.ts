import type { LogFilter, LogLine } from '@skyrun/contracts';
import type { InstanceRecord } from '../reconcile/records.ts';
import type { LogPosition } from '../store/log-store.ts';
import type { ServiceQuery } from '../store/reads.ts';
import { concerns, createMatcher, type InstanceLine, toLogLine } from './match.ts';
import { createMerge } from './merge.ts';
import { type LogSources, searchLogs, unsavedLines } from './search.ts';

export interface LogQuery extends ServiceQuery, LogFilter {
  readonly follow: boolean;
  /** Lines of the past at most, over all instances. */
  readonly tail: number;
}

const NEW_INSTANCES_EVERY_MS = 500;

/** The newest lines of the past by time, then, where asked, what instances and new ones go on to write. */
export async function* followLogs(sources: LogSources, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
  const { lines, positions } = await unsavedLines(sources, query);
  yield* (await past(sources, query, lines)).map(toLogLine);
  if (query.follow) yield* followLive(sources, query, positions, signal);
}

async function past(
  sources: LogSources,
  { follow: _, tail, ...filter }: LogQuery,
  unsaved: readonly InstanceLine[],
): Promise<InstanceLine[]> {
  const found: InstanceLine[] = [];
  let before: string | null | undefined;
  while (found.length < tail && before !== null) {
    const search = { ...filter, limit: tail - found.length, ...(before === undefined ? {} : { before }) };
    const page = await searchLogs(sources, search, unsaved);
    found.push(...page.lines);
    before = page.next;
  }
  return found.toReversed();
}

async function* followLive(
  sources: LogSources,
  query: LogQuery,
  shown: ReadonlyMap<string, LogPosition>,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const matches = createMatcher(query);
  const merge = createMerge<InstanceLine>();
  const followed = new Set<string>();
  const join = (record: InstanceRecord) => {
    if (followed.has(record.instanceId) || !concerns(query, record)) return;
    followed.add(record.instanceId);
    merge.add(linesAfter(sources, record, shown.get(record.instanceId), stop));
  };
  const lookForNew = async () => {
    while (!stop.aborted) {
      const records = await sources.reads.serviceInstances({ ...query, endedSince: sources.clock.now() });
      records.forEach(join);
      await sources.clock.sleep(NEW_INSTANCES_EVERY_MS, stop);
    }
  };
  stop.addEventListener('abort', () => merge.end(), { once: true });
  lookForNew().catch((error: unknown) => merge.end(stop.aborted ? undefined : error));
  try {
    for await (const line of merge) if (matches(line)) yield toLogLine(line);
  } finally {
    over.abort();
  }
}

/** What an instance writes, after what was shown of it. */
async function* linesAfter(
  { runtime }: LogSources,
  { instanceId, revisionName }: InstanceRecord,
  shown: LogPosition | undefined,
  signal: AbortSignal,
): AsyncIterable<InstanceLine> {
  const read = { stdout: '', stderr: '', ...shown };
  const from = [read.stdout, read.stderr].filter((position) => position !== '').toSorted()[0];
  const since = from === undefined ? {} : { since: Date.parse(from) };
  for await (const line of runtime.logs(instanceId, { follow: true, tail: 'all', ...since, signal })) {
    if (line.position <= read[line.stream]) continue;
    read[line.stream] = line.position;
    yield { ...line, instanceId, revisionName };
  }
}
