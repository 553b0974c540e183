import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { compareJob } from '../jobs/billing-jobs.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { instanceId, NOON, usageEvent } from '../testing/usage-events.ts';
import { compareSources } from './compare-sources.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

async function differences(project: string): Promise<unknown[]> {
  const { rows } = await billing.db.query<{ data: unknown }>(
    `SELECT event->'data' AS data FROM billing.outbox WHERE event->>'project' = $1
       AND event->>'type' = 'skyrun.usage.differed.v1' ORDER BY id`,
    [project],
  );
  return rows.map(({ data }) => data);
}

/** Ten seconds of life from NOON, and what a gateway saw. */
const life = (project: string, instance: number, state?: 'paused') =>
  usageEvent({
    project,
    key: `life-${instance}`,
    kind: 'lifetime',
    instance,
    until: NOON + 10_000,
    ...(state ? { state } : {}),
  });
const busy = (project: string, instance: number, from: number, until: number) =>
  usageEvent({ project, key: `busy-${instance}-${from}`, instance, from: NOON + from, until: NOON + until });

test('busy time that the runtime does not know of is told once, a clock that is a little off is not', async () => {
  const project = 'sources';
  await ingestBatch(billing, [
    life(project, 1),
    busy(project, 1, 2_000, 4_000),
    life(project, 2),
    busy(project, 2, 9_500, 10_400),
    life(project, 3),
    busy(project, 3, 8_000, 15_000),
    busy(project, 4, 0, 3_000),
    life(project, 5, 'paused'),
    busy(project, 5, 1_000, 3_000),
  ]);
  await Promise.all([compareSources(billing, project), compareSources(billing.replica(), project)]);
  await runOnce(compareJob(() => billing));
  const common = { project, service: 'api', revisionName: 'api-00001' };
  expect(await differences(project)).toMatchObject([
    {
      ...common,
      instanceId: instanceId(3),
      what: 'busy_outside_lifetime',
      gatewayMs: 7_000,
      runtimeMs: 10_000,
      differenceMs: 5_000,
    },
    {
      ...common,
      instanceId: instanceId(4),
      what: 'busy_outside_lifetime',
      gatewayMs: 3_000,
      runtimeMs: 0,
      differenceMs: 3_000,
    },
    {
      ...common,
      instanceId: instanceId(5),
      what: 'busy_while_paused',
      gatewayMs: 2_000,
      runtimeMs: 0,
      differenceMs: 2_000,
    },
  ]);
});

test('usage that may not be complete yet is left for later', async () => {
  const project = 'young';
  const from = billing.clock.now() - 60_000 - NOON;
  await ingestBatch(billing, [busy(project, 1, from, from + 5_000)]);
  await runOnce(compareJob(() => billing));
  expect(await differences(project)).toEqual([]);
  await billing.clock.advance(300_000);
  await runOnce(compareJob(() => billing));
  expect(await differences(project)).toMatchObject([{ differenceMs: 5_000 }]);
});
