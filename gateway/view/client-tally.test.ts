import { expect, test } from 'vitest';
import { ClientTally } from './client-tally.ts';

const connection = (address: string, requests: number) => ({ address, requests, counted: 0 });

test('each request counts in one window, whether its connection stays or goes', () => {
  const tally = new ClientTally();
  const stays = connection('192.0.2.1', 3);
  tally.closed(connection('192.0.2.2', 5));
  expect(tally.take([stays], 10)).toEqual([
    { address: '192.0.2.2', requests: 5, connections: 0 },
    { address: '192.0.2.1', requests: 3, connections: 1 },
  ]);
  stays.requests = 4;
  tally.closed(stays);
  expect(tally.take([], 10)).toEqual([{ address: '192.0.2.1', requests: 1, connections: 0 }]);
  expect(tally.take([], 10)).toEqual([]);
});

test('connections of one address add up, and idle ones are not named', () => {
  const tally = new ClientTally();
  const open = [connection('192.0.2.1', 1), connection('192.0.2.1', 2), connection('192.0.2.9', 0)];
  expect(tally.take(open, 10)).toEqual([{ address: '192.0.2.1', requests: 3, connections: 2 }]);
});

test('only the busiest are named, and a flood of addresses does not grow without bound', () => {
  const tally = new ClientTally();
  for (let index = 0; index < 20_000; index += 1) tally.closed(connection(`198.51.100.${index}`, 1));
  tally.closed(connection('198.51.100.0', 7));
  const busiest = tally.take([], 2);
  expect(busiest).toHaveLength(2);
  expect(busiest[0]).toEqual({ address: '198.51.100.0', requests: 8, connections: 0 });
});
