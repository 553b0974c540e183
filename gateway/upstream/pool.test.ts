import { expect, test } from 'vitest';
import { ConnectionPool } from './pool.ts';

/** A pool of connections that were released at these times, and which of them are closed. */
function poolOf(...releasedAt: readonly number[]) {
  const pool = new ConnectionPool();
  const closed: number[] = [];
  const connections = releasedAt.map((released) => ({
    freshUntil: released + 4000,
    idleUntil: released + 60_000,
    destroy: () => void closed.push(released),
  }));
  for (const connection of connections) pool.put(connection);
  return { pool, closed, connections };
}

function kind(method: string, framing: 'none' | 'length' = 'none') {
  return { line: { method }, fields: { framing, contentLength: 0, upgrade: '', expect: '' } };
}

const READ = kind('GET');

test('the connection used last comes first', () => {
  const { pool, connections } = poolOf(1000, 2000);
  expect([pool.take(READ, 3000), pool.take(READ, 3000), pool.take(READ, 3000)]).toEqual([
    connections[1],
    connections[0],
    null,
  ]);
});

test('a connection that its instance may just be closing carries only what may be sent twice', () => {
  const { pool, connections, closed } = poolOf(1000);
  for (const request of [kind('POST'), kind('PATCH', 'length'), kind('PUT', 'length')]) {
    expect(pool.take(request, 4999)).toBe(connections[0]);
    pool.put(connections[0] as (typeof connections)[number]);
    expect(pool.take(request, 5000)).toBeNull();
  }
  expect(pool.size).toBe(1);
  expect(pool.take(READ, 60_999)).toBe(connections[0]);
  expect(closed).toEqual([]);
});

test('none is used or kept for longer than its time', () => {
  const { pool, closed } = poolOf(1000, 2000, 3000);
  pool.sweep(61_999);
  expect(closed).toEqual([1000]);
  expect(pool.take(READ, 63_000)).toBeNull();
  expect(closed).toEqual([1000, 3000, 2000]);
});

test('where one was found closed, those that were idle for longer are not tried one by one', () => {
  const { pool, closed, connections } = poolOf(1000, 2000, 3000);
  const found = pool.take(READ, 10_000);
  pool.put({ freshUntil: 14_000, idleUntil: 70_000, destroy: () => void closed.push(10_000) });
  pool.doubt(found as (typeof connections)[number]);
  expect(closed).toEqual([1000, 2000]);
  expect(pool.size).toBe(1);
});
