import { expect, test } from 'vitest';
import { HeadMemory } from '../http1/head-memory.ts';
import { RequestReader } from '../http1/request-reader.ts';
import { RandomHex, requestIdOf, traceOf, traceparentOf } from './ids.ts';
import { ForwardingFields, identify } from './request-head.ts';

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;

test('traces that begin are well-formed, carry the flags that were asked for, and never come twice', () => {
  const random = new RandomHex();
  // More than the pool holds, so that it is filled again in between.
  const tails = Array.from({ length: 1000 }, (_, index) => random.tail(index % 3 === 0 ? '00' : '01'));
  const all = tails.map(traceparentOf);
  for (const [index, one] of all.entries()) {
    expect(one).toMatch(TRACEPARENT);
    expect(one.slice(53)).toBe(index % 3 === 0 ? '00' : '01');
  }
  expect(new Set(all.map(traceOf)).size).toBe(all.length);
  expect(new Set(all.map((one) => one.slice(36, 52))).size).toBe(all.length);
  expect(tails.map(requestIdOf)).toEqual(all.map(traceOf));
  expect(all.join('')).toMatch(/[a-f]/);
});

test('a head has its own line, fields and ids, whatever the requests before it had', () => {
  const random = new RandomHex();
  const origin = { address: '203.0.113.9', protocol: 'http' as const, version: '1.1' as const };
  const forwarding = new ForwardingFields(origin);
  const reader = new RequestReader((fields) => forwarding.of(fields), new HeadMemory());
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
    const { request } = reader;
    if (request === null) throw new Error('a head was read');
    const head = identify(request.line, request.fields, random);
    expect(request.upstreamBegin(false) + head.tail).toBe(
      `${line}\r\nHost: x.test\r\n${field}\r\n` +
        'Forwarded: for=203.0.113.9;host="x.test";proto=http\r\nX-Forwarded-For: 203.0.113.9\r\n' +
        'X-Forwarded-Proto: http\r\nX-Forwarded-Host: x.test\r\nVia: 1.1 skyrun\r\n' +
        `traceparent: ${head.traceparent}\r\nX-Request-Id: ${head.requestId}\r\n\r\n`,
    );
    expect(head.traceparent).toContain(head.requestId);
    expect(head.responseTail).toBe(`X-Request-Id: ${head.requestId}\r\n\r\n`);
    seen.add(head.requestId);
  }
  expect(seen.size).toBe(7);
});
