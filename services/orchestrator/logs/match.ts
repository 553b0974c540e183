import type { LogFilter, LogLine } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { RuntimeLogLine } from '../runtime/runtime.ts';
import { isAtLeast, severityOf } from './severity.ts';

/** A line with whose it is. */
export interface InstanceLine extends RuntimeLogLine {
  readonly instanceId: string;
  readonly revisionName: string;
}

/** Whether an instance's lines are asked for at all. */
export function concerns(
  { instance, revision }: Pick<LogFilter, 'instance' | 'revision'>,
  of: { readonly instanceId: string; readonly revisionName: string },
): boolean {
  if (instance !== undefined && !of.instanceId.endsWith(instance)) return false;
  return revision === undefined || of.revisionName === revision;
}

export function createMatcher(filter: LogFilter): (line: InstanceLine) => boolean {
  const { severity, stream } = filter;
  const search = filter.search?.toLowerCase() ?? '';
  const since = filter.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(filter.since);
  const until = filter.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(filter.until);
  return (line) =>
    line.at >= since &&
    line.at < until &&
    (stream === undefined || line.stream === stream) &&
    concerns(filter, line) &&
    (search === '' || line.text.toLowerCase().includes(search)) &&
    (severity === undefined || isAtLeast(severityOf(line.text), severity));
}

/** As the API shows it. */
export function toLogLine({ at, instanceId, revisionName, stream, text }: InstanceLine): LogLine {
  const severity = severityOf(text);
  return { at: isoTime(at), instanceId, revisionName, stream, text, ...(severity === undefined ? {} : { severity }) };
}

/** A line's place in the total order of a service's lines: later lines have greater ones. */
export function placeOf({ position, instanceId, stream }: InstanceLine): string {
  return `${position} ${instanceId} ${stream}`;
}
