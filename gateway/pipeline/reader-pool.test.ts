import { expect, test } from 'vitest';
import { ReaderPool } from './reader-pool.ts';

const GOOD = Buffer.from('GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\n\r\n');
const BAD = Buffer.from('GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nHost: other\r\n\r\n');

test('the next connection of a client goes on with what was learnt', () => {
  const pool = new ReaderPool();
  const first = pool.take('127.0.0.1', 'http');
  expect(first.requests.readHead(GOOD, 0)).toBe('head');
  const { request } = first.requests;
  pool.put(first);
  const second = pool.take('127.0.0.1', 'http');
  expect(second.requests.readHead(GOOD, 0)).toBe('head');
  expect(second.requests.request).toBe(request);
});

test('what one open connection has learnt the others of the same client know, and no other client', () => {
  const pool = new ReaderPool();
  const [first, second, other] = ['10.0.0.1', '10.0.0.1', '10.0.0.2'].map((address) => pool.take(address, 'http'));
  for (const reader of [first, second, other]) expect(reader?.requests.readHead(GOOD, 0)).toBe('head');
  expect(second?.requests.request).toBe(first?.requests.request);
  expect(other?.requests.request).not.toBe(first?.requests.request);
  expect(other?.requests.request?.forwarded).toContain('for=10.0.0.2;');
});

test('what a connection learns from another does not spoil what it reads next', () => {
  const pool = new ReaderPool();
  const [first, second] = [pool.take('10.0.0.1', 'http'), pool.take('10.0.0.1', 'http')];
  const head = (target: string, field: string) =>
    Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`);
  for (const [reader, target, field] of [
    [first, '/a', 'A: 1'],
    [second, '/b', 'B: 2'],
    [first, '/b', 'B: 2'],
    [first, '/c', 'A: 1'],
    [second, '/c', 'A: 1'],
    [second, '/b', 'A: 1'],
    [first, '/b', 'B: 2'],
  ] as const) {
    expect(reader.requests.readHead(head(target, field), 0)).toBe('head');
    expect(reader.requests.request?.line.target).toBe(target);
    expect(reader.requests.request?.fields.kept).toBe(`Host: a.test\r\n${field}\r\n`);
  }
});

test('another address, and the same one under TLS, get readers of their own', () => {
  const pool = new ReaderPool();
  const first = pool.take('127.0.0.1', 'http');
  pool.put(first);
  expect(pool.take('127.0.0.2', 'http')).not.toBe(first);
  expect(pool.take('127.0.0.1', 'https')).not.toBe(first);
  expect(pool.take('127.0.0.1', 'http')).toBe(first);
});

test('what was refused is refused again, also after a request that was not', () => {
  const pool = new ReaderPool();
  for (let round = 0; round < 3; round += 1) {
    const good = pool.take('127.0.0.1', 'http');
    expect(good.requests.readHead(GOOD, 0)).toBe('head');
    pool.put(good);
    const bad = pool.take('127.0.0.1', 'http');
    expect(bad.requests.readHead(BAD, 0)).toBe('fault');
    pool.put(bad);
  }
});

test('half a head that a connection left behind is not the beginning of the next', () => {
  const pool = new ReaderPool();
  const first = pool.take('127.0.0.1', 'http');
  expect(first.requests.readHead(GOOD.subarray(0, 20), 0)).toBe('more');
  pool.put(first);
  const second = pool.take('127.0.0.1', 'http');
  expect(second).toBe(first);
  expect(second.requests.readHead(GOOD, 0)).toBe('head');
});

test('readers of many clients are not kept for ever', () => {
  const pool = new ReaderPool();
  const first = pool.take('10.0.0.0', 'http');
  pool.put(first);
  for (let index = 0; index < 300; index += 1) pool.put(pool.take(`10.0.1.${index}`, 'http'));
  expect(pool.take('10.0.0.0', 'http')).not.toBe(first);
});
