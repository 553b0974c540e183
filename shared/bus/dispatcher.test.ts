import { typeSet } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { Dispatcher } from './dispatcher.ts';
import { DEFAULT_RETRY } from './retry.ts';

const BODY = JSON.stringify({
  specversion: '1.0',
  id: 'one',
  source: '/skyrun/identity',
  type: 'skyrun.project.created.v1',
  subject: 'projects/demo',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  project: 'demo',
  sequence: 1,
  data: {
    id: 'prj_01890000-0000-7000-8000-000000000001',
    name: 'demo',
    displayName: 'Demo',
    createdBy: 'usr_01890000-0000-7000-8000-000000000001',
  },
});

function setUp(mayStart: () => boolean) {
  const calls: string[] = [];
  const handling = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const dispatcher = new Dispatcher({
    name: 'test',
    types: typeSet(['skyrun.project.*']),
    prefetch: 10,
    sideBySide: false,
    handler: async () => {
      calls.push('handled');
      began.resolve();
      await handling.promise;
    },
    clock: systemClock,
    logger: silentLogger,
    retry: DEFAULT_RETRY,
    ephemeral: false,
    mayStart,
  });
  dispatcher.accept({
    body: BODY,
    done() {
      calls.push('done');
      return undefined;
    },
    async bury() {
      calls.push('buried');
    },
  });
  return { dispatcher, calls, handling, began: began.promise };
}

test('what is handled is settled', async () => {
  const { dispatcher, calls, handling, began } = setUp(() => true);
  await began;
  handling.resolve();
  await dispatcher.stop();
  expect(calls).toEqual(['handled', 'done']);
});

test('a consumer that may not be the active one any more starts nothing and leaves the delivery to the broker', async () => {
  const { dispatcher, calls, handling } = setUp(() => false);
  handling.resolve();
  await dispatcher.stop();
  expect(calls).toEqual([]);
});

test('what is handled when the broker takes the deliveries back is not settled: somebody else may have them', async () => {
  const { dispatcher, calls, handling, began } = setUp(() => true);
  await began;
  dispatcher.abort('the connection was lost');
  handling.resolve();
  await dispatcher.stop();
  expect(calls).toEqual(['handled']);
});
