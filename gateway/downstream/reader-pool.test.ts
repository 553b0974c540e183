import { expect, test } from 'vitest';
import type { RequestsBefore } from '../http1/request-reader.ts';
import { type Place, ReaderPool } from './reader-pool.ts';

const GOOD = Buffer.from('GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\n\r\n');
const BAD = Buffer.from('GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nHost: other\r\n\r\n');

const newConnection = (): RequestsBefore => ({ known: null, last: null });

/** Reads one chunk for a connection, as connections do; returns the request that was read. */
function read(place: Place, chunk: Buffer, connection = newConnection()): RequestsBefore['last'] {
  const reader = place.take(connection);
  expect(reader.readHead(chunk, 0)).toBe('head');
  const { request } = reader;
  reader.leave(connection);
  place.put(reader);
  return request;
}

test('the next connection of a client goes on with what was learnt', () => {
  const pool = new ReaderPool();
  const first = pool.enter('127.0.0.1', 'http');
  const request = read(first, GOOD);
  pool.leave(first);
  expect(read(pool.enter('127.0.0.1', 'http'), GOOD)).toBe(request);
});

test('what one open connection has learnt the others of the same client know, and no other client', () => {
  const pool = new ReaderPool();
  const place = pool.enter('10.0.0.1', 'http');
  expect(pool.enter('10.0.0.1', 'http')).toBe(place);
  const other = pool.enter('10.0.0.2', 'http');
  const request = read(place, GOOD);
  expect(read(place, GOOD)).toBe(request);
  const foreign = read(other, GOOD);
  expect(foreign).not.toBe(request);
  expect(foreign?.forwarded).toContain('for=10.0.0.2;');
});

test('connections whose requests come in one piece are read by the same reader, others by one of their own', () => {
  const place = new ReaderPool().enter('10.0.0.1', 'http');
  const [first, second] = [newConnection(), newConnection()];
  const begun = place.take(first);
  expect(begun.readHead(GOOD.subarray(0, 20), 0)).toBe('more');
  const free = place.take(second);
  expect(free).not.toBe(begun);
  expect(free.readHead(GOOD, 0)).toBe('head');
  place.put(free);
  expect(place.take(newConnection())).toBe(free);
  expect(begun.readHead(GOOD.subarray(20), 0)).toBe('head');
  expect(begun.request?.line.target).toBe('/');
});

test('each connection knows its own heads again, whatever the reader has read for others since', () => {
  const place = new ReaderPool().enter('10.0.0.1', 'http');
  const head = (session: number) => Buffer.from(`GET / HTTP/1.1\r\nHost: a.test\r\nCookie: session=${session}\r\n\r\n`);
  const connections = [1, 2, 3].map((session) => ({ session, connection: newConnection() }));
  const first = connections.map(({ session, connection }) => read(place, head(session), connection));
  for (let round = 0; round < 3; round += 1) {
    const again = connections.map(({ session, connection }) => read(place, head(session), connection));
    expect(again).toEqual(first);
    again.forEach((request, index) => {
      expect(request).toBe(first[index]);
    });
  }
});

test('what a connection learns from another does not spoil what it reads next', () => {
  const place = new ReaderPool().enter('10.0.0.1', 'http');
  const [first, second] = [newConnection(), newConnection()];
  const head = (target: string, field: string) =>
    Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`);
  for (const [connection, target, field] of [
    [first, '/a', 'A: 1'],
    [second, '/b', 'B: 2'],
    [first, '/b', 'B: 2'],
    [first, '/c', 'A: 1'],
    [second, '/c', 'A: 1'],
    [second, '/b', 'A: 1'],
    [first, '/b', 'B: 2'],
  ] as const) {
    const request = read(place, head(target, field), connection);
    expect(request?.line.target).toBe(target);
    expect(request?.fields.kept).toBe(`Host: a.test\r\n${field}\r\n`);
  }
});

test('another address, and the same one under TLS, are places of their own', () => {
  const pool = new ReaderPool();
  const first = pool.enter('127.0.0.1', 'http');
  expect(pool.enter('127.0.0.2', 'http')).not.toBe(first);
  expect(pool.enter('127.0.0.1', 'https')).not.toBe(first);
  pool.leave(first);
  expect(pool.enter('127.0.0.1', 'http')).toBe(first);
});

test('what was refused is refused again, also after a request that was not, and by another reader', () => {
  const place = new ReaderPool().enter('127.0.0.1', 'http');
  for (let round = 0; round < 3; round += 1) {
    read(place, GOOD);
    const bad = place.take(newConnection());
    expect(bad.readHead(BAD, 0)).toBe('fault');
    place.put(bad);
    expect(place.take(newConnection())).not.toBe(bad);
  }
});

test('half a head that a connection left behind is not the beginning of the next', () => {
  const place = new ReaderPool().enter('127.0.0.1', 'http');
  const first = place.take(newConnection());
  expect(first.readHead(GOOD.subarray(0, 20), 0)).toBe('more');
  place.put(first);
  const second = place.take(newConnection());
  expect(second).toBe(first);
  expect(second.readHead(GOOD, 0)).toBe('head');
});

test('places that nobody comes from are not kept for ever, and none that somebody does is forgotten', () => {
  const pool = new ReaderPool();
  const [used, unused] = [pool.enter('10.0.0.0', 'http'), pool.enter('10.0.0.1', 'http')];
  pool.leave(unused);
  for (let index = 0; index < 300; index += 1) pool.leave(pool.enter(`10.0.1.${index}`, 'http'));
  expect(pool.enter('10.0.0.0', 'http')).toBe(used);
  expect(pool.enter('10.0.0.1', 'http')).not.toBe(unused);
});

test('of readers that many connections needed at once only so many are kept, and one where nobody is', () => {
  const pool = new ReaderPool();
  const place = pool.enter('10.0.0.0', 'http');
  const take = (count: number) => Array.from({ length: count }, () => place.take(newConnection()));
  const many = take(300);
  for (const reader of many) place.put(reader);
  const again = take(300);
  expect(again.filter((reader) => many.includes(reader))).toHaveLength(256);
  for (const reader of again) place.put(reader);
  pool.leave(place);
  expect(take(2).filter((reader) => again.includes(reader))).toHaveLength(1);
});
