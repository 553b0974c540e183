import type { RequestCost } from '../cost/request-cost.ts';
import type { AttemptRecord, RequestRecord, SpanIds } from '../observe/request-record.ts';
import type { Overdue } from '../pipeline/overdue.ts';

/** An attribute as OTLP's JSON has it (opentelemetry-proto, common/v1 KeyValue). */
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string } | { readonly doubleValue: number };
}

/** A span as OTLP's JSON has it (opentelemetry-proto, trace/v1 Span). */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  /** Nanoseconds of Unix time. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

/** The status of a request whose client left before there was a response. */
const CLIENT_LEFT = 499;

/** Those that the conventions name; another is `_OTHER`, so that a stranger cannot make up a thousand span names. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

export interface SpanContext {
  /** Unix ms at which the monotonic clock was zero. */
  readonly epochMs: number;
  /** A fresh span id. */
  readonly newId: () => string;
  /** Null where it is not known. */
  readonly cost: RequestCost | null;
}

/**
 * The spans of one request that has ended, by the semantic conventions of HTTP (stable since 1.23):
 *
 *   GET (server) ─┬─ wait
 *                 └─ GET (client, one per attempt) ── connect
 *
 * The path is told, never the query. What an instance does hangs below the attempt that it answered.
 */
export function spansOf(record: RequestRecord, ids: SpanIds, { epochMs, newId, cost }: SpanContext): Span[] {
  const { line } = record.head;
  const known = METHODS.has(line.method);
  const name = known ? line.method : 'HTTP';
  const method = known
    ? [text('http.request.method', line.method)]
    : [text('http.request.method', '_OTHER'), text('http.request.method_original', line.method)];
  const time = (from: number, to: number) => ({
    startTimeUnixNano: nanoseconds(epochMs + from),
    endTimeUnixNano: nanoseconds(epochMs + Math.max(from, to)),
  });
  const spans: Span[] = [
    {
      traceId: ids.trace,
      spanId: ids.server,
      ...(ids.parent === '' ? {} : { parentSpanId: ids.parent }),
      name,
      kind: SERVER,
      ...time(record.startedAt, record.endedAt),
      attributes: [...method, ...serverAttributes(record, cost)],
      status: record.status >= 500 ? { code: ERROR } : {},
    },
  ];
  const last = record.attempts.length - 1;
  for (const [index, { from, to }] of record.waits.entries()) {
    spans.push({
      traceId: ids.trace,
      spanId: index === 0 ? ids.wait : newId(),
      parentSpanId: ids.server,
      name: 'wait',
      kind: INTERNAL,
      ...time(from, to),
      attributes: [],
      status: {},
    });
  }
  for (const [index, attempt] of record.attempts.entries()) {
    const spanId = index === last ? ids.upstream : newId();
    const failure = failureOf(attempt, record.status);
    spans.push({
      traceId: ids.trace,
      spanId,
      parentSpanId: ids.server,
      name,
      kind: CLIENT,
      ...time(attempt.assignedAt, attempt.endedAt),
      attributes: [...method, ...attemptAttributes(attempt, index, failure)],
      status: failure === null ? {} : { code: ERROR },
    });
    if (!attempt.connects) continue;
    const connected = attempt.connectedAt !== -1;
    spans.push({
      traceId: ids.trace,
      spanId: newId(),
      parentSpanId: spanId,
      name: 'connect',
      kind: INTERNAL,
      ...time(attempt.assignedAt, connected ? attempt.connectedAt : attempt.endedAt),
      attributes: [],
      status: connected ? {} : { code: ERROR },
    });
  }
  return spans;
}

function serverAttributes(record: RequestRecord, cost: RequestCost | null): Attribute[] {
  const { head, origin, status, revision } = record;
  const { host, authority, framing, contentLength } = head.fields;
  const attributes = [
    text('url.scheme', origin.protocol),
    text('url.path', pathOf(head.line.target)),
    text('server.address', host),
    text('network.protocol.version', origin.version === '2.0' ? '2' : `1.${head.line.minor}`),
    text('client.address', origin.address),
    integer('skyrun.bytes_in', record.bytesIn),
    integer('skyrun.bytes_out', record.bytesOut),
    text('skyrun.request_id', head.requestId),
    decimal('skyrun.waited_ms', record.waitedMs),
  ];
  if (framing !== 'chunked') attributes.push(integer('http.request.body.size', contentLength));
  const port = portOf(authority);
  if (port !== null) attributes.push(integer('server.port', port));
  if (status > 0) attributes.push(integer('http.response.status_code', status));
  if (status >= 500) attributes.push(text('error.type', String(status)));
  const instance = record.attempts.at(-1)?.instance;
  if (revision !== null) {
    attributes.push(
      text('skyrun.project', revision.project),
      text('skyrun.service', revision.service),
      text('skyrun.revision', revision.revisionName),
    );
  }
  if (instance !== undefined) attributes.push(text('skyrun.instance', instance.id));
  if (cost !== null) {
    attributes.push(decimal('skyrun.cost.amount', Number(cost.amount)), text('skyrun.cost.currency', cost.currency));
  }
  return attributes;
}

function attemptAttributes(attempt: AttemptRecord, index: number, failure: string | null): Attribute[] {
  const { id, address, port } = attempt.instance;
  const attributes = [
    text('server.address', address),
    integer('server.port', port),
    text('network.protocol.name', 'http'),
    text('skyrun.instance', id),
  ];
  if (index > 0) attributes.push(integer('http.request.resend_count', index));
  if (attempt.answeredAt !== -1) {
    attributes.push(
      integer('http.response.status_code', attempt.status),
      decimal('skyrun.first_byte_ms', attempt.answeredAt - attempt.assignedAt),
    );
  }
  if (failure !== null) attributes.push(text('error.type', failure));
  return attributes;
}

const OVERDUE: Readonly<Record<Overdue, string>> = {
  deadline: 'request_timeout',
  'first-byte': 'first_byte_timeout',
  idle: 'idle_timeout',
  connect: 'connect_timeout',
};

/** Why an attempt of a request that ended with `outcome` failed; null: it did not. */
function failureOf({ status, overdue, connectedAt, lost }: AttemptRecord, outcome: number): string | null {
  if (overdue !== null) return OVERDUE[overdue];
  if (status >= 400) return String(status);
  if (status > 0) return null;
  if (outcome === CLIENT_LEFT && !lost) return 'client_left';
  return connectedAt === -1 ? 'connection_refused' : 'connection_lost';
}

/** What comes before `?`: queries carry what nobody may read. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

function portOf(authority: string): number | null {
  const port = /:(\d+)$/.exec(authority)?.[1];
  return port === undefined ? null : Number(port);
}

/** Exact to a microsecond; a double cannot hold more of today's date. */
function nanoseconds(unixMs: number): string {
  return `${Math.round(unixMs * 1000)}000`;
}

function text(key: string, stringValue: string): Attribute {
  return { key, value: { stringValue } };
}

function integer(key: string, value: number): Attribute {
  return { key, value: { intValue: String(value) } };
}

function decimal(key: string, doubleValue: number): Attribute {
  return { key, value: { doubleValue } };
}
