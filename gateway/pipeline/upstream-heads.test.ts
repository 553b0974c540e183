import { expect, test } from 'vitest';
import { RequestReader } from '../http1/request-reader.ts';
import { RandomHex, traceOf } from './ids.ts';
import { forwardingFields, identify, UpstreamHeads } from './request-head.ts';

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;

test('traces that begin are well-formed, carry the flags that were asked for, and never come twice', () => {
  const random = new RandomHex();
  // More than the pool holds, so that it is filled again in between.
  const all = Array.from({ length: 1000 }, (_, index) => random.traceparent(index % 3 === 0 ? '00' : '01'));
  for (const [index, one] of all.entries()) {
    expect(one).toMatch(TRACEPARENT);
    expect(one.slice(53)).toBe(index % 3 === 0 ? '00' : '01');
  }
  expect(new Set(all.map(traceOf)).size).toBe(all.length);
  expect(new Set(all.map((one) => one.slice(36, 52))).size).toBe(all.length);
});

test('a head has its own line, fields and ids, whatever the requests before it had', () => {
  const heads = new UpstreamHeads();
  const random = new RandomHex();
  const origin = { address: '203.0.113.9', protocol: 'http' as const, version: '1.1' as const };
  const reader = new RequestReader((fields) => forwardingFields(fields, origin));
  const seen = new Set<string>();
  for (const [line, field] of [
    ['GET /a HTTP/1.1', 'Accept: a'],
    ['GET /a HTTP/1.1', 'Accept: a'],
    ['GET /a HTTP/1.1', 'Accept: a'],
    ['GET /b HTTP/1.1', 'Accept: a'],
    ['GET /b HTTP/1.1', 'Accept: b'],
    ['GET /a HTTP/1.1', 'Accept: b'],
    ['GET /a HTTP/1.1', 'Accept: b'],
  ] as const) {
    expect(reader.readHead(Buffer.from(`${line}\r\nHost: x.test\r\n${field}\r\n\r\n`), 0)).toBe('head');
    if (reader.line === null || reader.known === null) throw new Error('a head was read');
    const head = identify(reader.line, reader.known.fields, random);
    expect(heads.text(head, reader.lineText, reader.known.forwarded)).toBe(
      `${line}\r\nHost: x.test\r\n${field}\r\n` +
        'Forwarded: for=203.0.113.9;host="x.test";proto=http\r\nX-Forwarded-For: 203.0.113.9\r\n' +
        'X-Forwarded-Proto: http\r\nX-Forwarded-Host: x.test\r\nVia: 1.1 skyrun\r\n' +
        `X-Request-Id: ${head.requestId}\r\ntraceparent: ${head.traceparent}\r\n\r\n`,
    );
    expect(head.traceparent).toContain(head.requestId);
    seen.add(head.requestId);
  }
  expect(seen.size).toBe(7);
});
