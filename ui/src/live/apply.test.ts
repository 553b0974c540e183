import { type AnyEvent, makeId } from '@skyrun/contracts';
import { QueryClient } from '@tanstack/react-query';
import { afterEach, expect, test } from 'vitest';
import { keys } from '../api/queries.ts';
import { CacheFeed } from './apply.ts';

const queries = new QueryClient();
const feed = new CacheFeed(queries);
afterEach(() => {
  feed.stop();
  queries.clear();
});

const envelope = {
  specversion: '1.0',
  id: 'evt_1',
  source: '/skyrun/identity',
  subject: 'projects/demo/keys/ci',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  sequence: 1,
} as const;
const data = {
  id: makeId('apiKey', { now: 0, random: new Uint8Array(10) }),
  project: 'demo',
  name: 'ci',
  role: 'viewer',
} as const;
const CHANGES: readonly AnyEvent[] = [
  { ...envelope, type: 'skyrun.key.created.v1', data },
  { ...envelope, type: 'skyrun.key.rotated.v1', data },
  { ...envelope, type: 'skyrun.key.revoked.v1', data },
];
const isStale = (key: readonly string[]) => queries.getQueryState(key)?.isInvalidated;

test.each(CHANGES)('$type asks for the keys again, and for nothing else', async (event) => {
  queries.setQueryData(keys.apiKeys('demo'), []);
  queries.setQueryData(keys.services('demo'), []);
  feed.apply('demo', { ...envelope, type: 'team.demo.order.placed.v1', data: {} });
  feed.apply('demo', event);
  await expect.poll(() => isStale(keys.apiKeys('demo')), { timeout: 10_000 }).toBe(true);
  expect(isStale(keys.services('demo'))).toBe(false);
});
