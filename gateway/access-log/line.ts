import { isoTime } from '@skyrun/kit/base';
import type { RequestRecord } from '../observe/request-record.ts';

export interface LineOptions {
  /** Of this gateway process. */
  readonly gateway: string;
  /** Unix ms at which the monotonic clock was zero. */
  readonly epochMs: number;
  /** Queries are written with their values. */
  readonly query: boolean;
}

const USER_AGENT = /(?:^|\r\n)user-agent:[ \t]*([^\r]*)/i;
const MOST_PATH = 2048;
const MOST_AGENT = 256;

/**
 * One request that has ended, as one line of JSON. No field of the request is written but its method, host, path and user
 * agent: cookies, tokens and, unless asked, queries are nobody's business here.
 */
export function accessLine(record: RequestRecord, { gateway, epochMs, query }: LineOptions): string {
  const { head, origin, revision } = record;
  const { line, fields, requestId, traceparent } = head;
  const instance = record.attempts.at(-1)?.instance;
  const agent = USER_AGENT.exec(fields.kept)?.[1];
  const mark = line.target.indexOf('?');
  const target = query || mark === -1 ? line.target : line.target.slice(0, mark);
  return `${JSON.stringify({
    time: isoTime(epochMs + record.startedAt),
    gateway,
    requestId,
    traceId: traceparent.slice(3, 35),
    client: origin.address,
    method: line.method,
    scheme: origin.protocol,
    host: fields.host,
    path: target.slice(0, MOST_PATH),
    protocol: origin.version === '2.0' ? 'HTTP/2' : `HTTP/1.${line.minor}`,
    status: record.status,
    ms: round(record.endedAt - record.startedAt),
    waitedMs: round(record.waitedMs),
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    attempts: record.attempts.length,
    ...(revision === null
      ? {}
      : { project: revision.project, service: revision.service, revision: revision.revisionName }),
    ...(instance === undefined ? {} : { instance: instance.id }),
    ...(agent === undefined ? {} : { userAgent: agent.slice(0, MOST_AGENT) }),
  })}\n`;
}

/** To a thousandth. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
