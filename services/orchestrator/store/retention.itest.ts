import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { newRecord } from '../reconcile/records.ts';
import { toEnded, unproven } from '../reconcile/transitions.ts';
import { desiredOf } from '../testing/desired.ts';
import { acquireLease, LEASE_NAME } from './lease.ts';
import { createLedger } from './ledger.ts';
import { createReads } from './reads.ts';
import { deleteExpired } from './retention.ts';

const DAY_MS = 86_400_000;

test('what has ended long ago goes, what runs or is desired stays', async () => {
  const database = await testDatabase('retention');
  const db = createDatabase({ ...database, schema: 'orchestrator', applicationName: 'test', logger: silentLogger });
  await db.migrate(new URL('../migrations/', import.meta.url));
  const term = (await acquireLease(db, { name: LEASE_NAME, holder: 'test', ttlMs: 60_000 })) ?? 0n;
  const ledger = createLedger({ db, clock: systemClock, term });
  const now = systemClock.now();
  const record = () => newRecord(desiredOf(), { instanceId: newId('instance', systemClock), node: 'test', now });
  const ended = record();
  await ledger.write({ insert: record() });
  await ledger.write({ insert: ended });
  const over = toEnded(ended, { state: 'stopped', reason: 'ScaledDown', exitCode: 0, finishedAt: now }, now);
  await ledger.write({ update: over });
  await ledger.write({ verdict: unproven('rev_kept') });
  await ledger.write({ verdict: unproven('rev_gone') });
  const reads = createReads(db);
  const service = { project: 'demo', service: 'web' };

  await deleteExpired(db, now + DAY_MS / 2, []);
  expect(await reads.serviceInstances({ ...service, endedSince: 0 })).toHaveLength(2);

  await deleteExpired(db, now + 2 * DAY_MS, ['rev_kept']);
  expect((await reads.serviceInstances({ ...service, endedSince: 0 })).map(({ state }) => state)).toEqual(['starting']);
  expect((await reads.verdicts()).map(({ revisionId }) => revisionId)).toEqual(['rev_kept']);
  await db.close();
  await database.drop();
});
