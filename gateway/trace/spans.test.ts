import { expect, test } from 'vitest';
import { headText } from '../http1/head-text.ts';
import { parseRequestFields } from '../http1/request-fields.ts';
import { parseRequestLine } from '../http1/request-line.ts';
import { RequestRecord, type SpanIds } from '../observe/request-record.ts';
import { pathOf, type Span, spansOf } from './spans.ts';

const ids: SpanIds = {
  trace: '0af7651916cd43dd8448eb211c80319c',
  parent: '',
  server: '1'.repeat(16),
  wait: '2'.repeat(16),
  upstream: '3'.repeat(16),
};
const revision = {
  project: 'demo',
  service: 'hello',
  serviceId: 'svc_1',
  revisionId: 'rev_1',
  revisionName: 'hello-00001',
  billingMode: 'request' as const,
  cpuMilli: 1000,
  memoryMib: 512,
};
const instance = (id: string) => ({ id, address: '10.0.0.1', port: 8080 });

function recordOf(request = 'GET /a?token=secret HTTP/1.1') {
  const line = parseRequestLine(headText(`${request}\r\n`), 0);
  const fields = parseRequestFields(headText('Host: hello.demo.localhost:8443\r\nContent-Length: 4\r\n\r\n'), 0);
  if (typeof line === 'string' || typeof fields === 'string') throw new Error('the test is wrong');
  return new RequestRecord({
    head: { line, fields, requestId: 'r1', traceparent: '' },
    origin: { address: '192.0.2.7', protocol: 'https', version: '1.1' },
    now: 100,
    ids,
    onEnd: () => undefined,
  });
}

function spans(record: RequestRecord, of: Partial<SpanIds> = {}): Span[] {
  let next = 0;
  const newId = () => String(++next).padStart(16, 'f');
  const cost = { amount: '0.0000105', currency: 'USD' };
  return spansOf(record, { ...ids, ...of }, { epochMs: 1_700_000_000_000, newId, cost });
}

const attributeOf = (span: Span | undefined, key: string) => {
  const value = span?.attributes.find((attribute) => attribute.key === key)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
};

test('a cold start: the wait, the connection and the attempt lie below the server’s span', () => {
  const record = recordOf();
  record.beginWait(101);
  record.assigned(instance('ins_1'), 501, false);
  record.connected(503);
  record.bytesIn += 90;
  record.answered(540, 200);
  record.bytesOut += 5;
  record.end(550, 200, revision);
  const [server, wait, upstream, connect, ...more] = spans(record);
  expect(more).toEqual([]);
  expect(server).toMatchObject({ name: 'GET', kind: 2, spanId: ids.server, status: {} });
  expect(server).not.toHaveProperty('parentSpanId');
  expect([server?.startTimeUnixNano, server?.endTimeUnixNano]).toEqual(['1700000000100000000', '1700000000550000000']);
  expect(wait).toMatchObject({ name: 'wait', parentSpanId: ids.server, spanId: ids.wait });
  expect([wait?.startTimeUnixNano, wait?.endTimeUnixNano]).toEqual(['1700000000101000000', '1700000000501000000']);
  expect(upstream).toMatchObject({ name: 'GET', kind: 3, parentSpanId: ids.server, spanId: ids.upstream });
  expect(connect).toMatchObject({
    name: 'connect',
    parentSpanId: ids.upstream,
    endTimeUnixNano: '1700000000503000000',
  });
  const told: [string, unknown][] = [
    ['http.request.method', 'GET'],
    ['url.scheme', 'https'],
    ['url.path', '/a'],
    ['server.address', 'hello.demo.localhost'],
    ['server.port', '8443'],
    ['network.protocol.version', '1.1'],
    ['client.address', '192.0.2.7'],
    ['http.request.body.size', '4'],
    ['http.response.status_code', '200'],
    ['error.type', undefined],
    ['skyrun.waited_ms', 400],
    ['skyrun.project', 'demo'],
    ['skyrun.service', 'hello'],
    ['skyrun.revision', 'hello-00001'],
    ['skyrun.instance', 'ins_1'],
    ['skyrun.bytes_in', '90'],
    ['skyrun.bytes_out', '5'],
    ['skyrun.cost.amount', 0.0000105],
    ['skyrun.cost.currency', 'USD'],
  ];
  for (const [key, value] of told) expect([key, attributeOf(server, key)]).toEqual([key, value]);
  expect(attributeOf(upstream, 'skyrun.first_byte_ms')).toBe(39);
  expect(JSON.stringify(spans(record))).not.toContain('secret');
});

test('an attempt that was lost is one of its own, and the instance is told of the one that answers', () => {
  const record = recordOf();
  record.assigned(instance('ins_1'), 100, true);
  record.lost(110);
  record.assigned(instance('ins_2'), 110, true);
  record.answered(120, 200);
  record.end(121, 200, revision);
  const [server, first, second] = spans(record, { parent: 'a'.repeat(16) });
  expect(server?.parentSpanId).toBe('a'.repeat(16));
  expect(first).toMatchObject({ kind: 3, status: { code: 2 } });
  expect(first?.spanId).not.toBe(ids.upstream);
  expect(attributeOf(first, 'error.type')).toBe('connection_lost');
  expect(second).toMatchObject({ spanId: ids.upstream, status: {} });
  expect(attributeOf(second, 'http.request.resend_count')).toBe('1');
});

test('an attempt whose client left before the response says so; one that was lost before that was lost', () => {
  const record = recordOf();
  record.assigned(instance('ins_1'), 100, true);
  record.lost(110);
  record.assigned(instance('ins_2'), 110, true);
  record.end(120, 499, revision);
  const [, first, second] = spans(record);
  expect(attributeOf(first, 'error.type')).toBe('connection_lost');
  expect(attributeOf(second, 'error.type')).toBe('client_left');
});

test.each([
  ['first-byte', 0, 'first_byte_timeout'],
  ['deadline', 0, 'request_timeout'],
  ['idle', 200, 'idle_timeout'],
] as const)('an attempt that the bound %s has ended says so, whatever was answered', (bound, status, type) => {
  const record = recordOf();
  record.assigned(instance('ins_1'), 100, true);
  if (status > 0) record.answered(110, status);
  record.overdue(bound);
  record.end(120, 504, revision);
  const [, attempt] = spans(record);
  expect(attempt?.status).toEqual({ code: 2 });
  expect(attributeOf(attempt, 'error.type')).toBe(type);
});

test('a connection that took too long is told from one that was refused, and from the attempt after it', () => {
  const record = recordOf();
  record.assigned(instance('ins_1'), 100, false);
  record.overdue('connect');
  record.lost(110);
  // Nothing runs that a bound could end.
  record.overdue('deadline');
  record.assigned(instance('ins_2'), 110, false);
  record.end(120, 502, revision);
  const types = spans(record).flatMap((span) => (span.kind === 3 ? [attributeOf(span, 'error.type')] : []));
  expect(types).toEqual(['connect_timeout', 'connection_refused']);
});

test.each([
  [200, {}, undefined],
  [404, {}, undefined],
  [503, { code: 2 }, '503'],
])('an answer %i of the gateway’s own has the status %j', (status, code, type) => {
  const record = recordOf();
  record.end(101, status, null);
  const [server, ...more] = spans(record);
  expect(more).toEqual([]);
  expect(server?.status).toEqual(code);
  expect(attributeOf(server, 'error.type')).toBe(type);
});

test('a method that nobody knows makes no name of its own', () => {
  const record = recordOf('BREW /pot HTTP/1.1');
  record.end(101, 501, null);
  const [server] = spans(record);
  expect(server?.name).toBe('HTTP');
  expect(attributeOf(server, 'http.request.method')).toBe('_OTHER');
  expect(attributeOf(server, 'http.request.method_original')).toBe('BREW');
});

test.each([
  ['/', '/'],
  ['/a/b?c=d?e', '/a/b'],
  ['*', '*'],
])('the path of %s is %s', (target, path) => {
  expect(pathOf(target)).toBe(path);
});
