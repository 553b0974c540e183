import { expect, test } from 'vitest';
import { ChunkScanner } from './chunked.ts';
import { headText } from './head-text.ts';
import { parseRequestFields } from './request-fields.ts';

function read(...lines: string[]) {
  const fields = parseRequestFields(headText(`${['Host: a.test', ...lines, 'X-Last: 1'].join('\r\n')}\r\n\r\n`), 0);
  if (typeof fields === 'string') throw new Error(fields);
  return fields;
}

test.each([
  'Connection: keep-alive',
  'Connection: close',
  'Proxy-Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'Proxy-Authenticate: Basic',
  'Proxy-Authorization: Basic YTpi',
  'TE: trailers',
  'Upgrade: websocket',
  'Transfer-Encoding: chunked',
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.test',
  'X-Request-Id: mine',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
])('%s is of the connection, or told by the gateway, and reaches no instance as it came', (line) => {
  expect(read(line).kept).toBe('Host: a.test\r\nX-Last: 1\r\n');
  expect(read(line.toUpperCase().replace(/: .*/, line.slice(line.indexOf(':')))).kept).toBe(
    'Host: a.test\r\nX-Last: 1\r\n',
  );
});

test('what Connection names goes with it, and what resembles it stays', () => {
  expect(read('X-Hop: 1', 'X-Hop-Not: 2', 'Connection: close, x-hop').kept).toBe(
    'Host: a.test\r\nX-Hop-Not: 2\r\nX-Last: 1\r\n',
  );
});

test.each([
  ['websocket', 'websocket'],
  ['TLS/1.0', ''],
  ['h2c', ''],
  ['HTTP/2.0', ''],
  ['websocket, TLS/1.0', ''],
])('to change to %s counts as “%s”', (asked, upgrade) => {
  expect(read('Connection: upgrade', `Upgrade: ${asked}`).upgrade).toBe(upgrade);
  expect(read(`Upgrade: ${asked}`).upgrade).toBe('');
});

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
test.each([
  ['one that is none', [PARENT.slice(0, -1)], ''],
  ['one', [PARENT], PARENT],
  ['two of them', [PARENT, PARENT], ''],
])('a traceparent: %s', (_, values, expected) => {
  expect(read(...values.map((value) => `traceparent: ${value}`)).traceparent).toBe(expected);
});

test.each([
  ['100-Continue', [], 'continue'],
  ['something else', ['other'], 'unknown'],
  ['two of them', ['100-continue'], 'unknown'],
  ['something else first', ['other', '100-continue'], 'unknown'],
])('Expect: %s', (name, more, expected) => {
  const first = name === '100-Continue' || name === 'two of them' ? ['100-continue'] : [];
  expect(read(...[...first, ...more].map((value) => `Expect: ${value}`)).expect).toBe(expected);
});

test('a body may have any number of chunks: what is bounded is the line of each', () => {
  const bytes = Buffer.from(`${'1;a=b\r\nx\r\n'.repeat(2000)}0\r\n\r\n`);
  const chunks = new ChunkScanner();
  expect(chunks.scan(bytes, 0, bytes.length)).toBe(bytes.length);
  expect([chunks.phase, chunks.content]).toEqual(['done', 2000]);
});
