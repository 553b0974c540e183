import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getCostAnalysis } from '../analyse/get-cost-analysis.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { budgetJob } from '../jobs/billing-jobs.ts';
import { closePeriod } from '../period/close-period.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { NOON, usageEvent } from '../testing/usage-events.ts';
import { checkBudgets } from './check-budgets.ts';
import { createBudget, deleteBudget, listBudgets, replaceBudget } from './manage-budgets.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const DAY_MS = 86_400_000;

async function eventsOf(project: string): Promise<string[]> {
  const { rows } = await billing.db.query<{ type: string; percent: number | null }>(
    `SELECT event->>'type' AS type, (event->'data'->>'percent')::int AS percent FROM billing.outbox
     WHERE event->>'project' = $1 AND event->>'type' NOT LIKE '%invoice%' ORDER BY id`,
    [project],
  );
  return rows.map(({ type, percent }) => (percent === null ? type : `${type} ${percent}`));
}

test('a budget alerts once per threshold, caps at its amount, and a raise or a new month lifts the cap', async () => {
  const project = 'capped';
  const spec = { name: 'all', amount: '4.00', hardCap: true, thresholds: [{ percent: 50, basis: 'actual' as const }] };
  const { id } = await createBudget(billing, project, spec);
  const spend = (key: string, requests: number) => ingestBatch(billing, [usageEvent({ project, key, requests })]);
  const replica = billing.replica();
  const look = () => Promise.all([checkBudgets(billing, project), checkBudgets(replica, project)]);

  await spend('a', 4_000_000);
  await look();
  expect(await eventsOf(project)).toEqual([]);
  await spend('b', 1_000_000);
  await look();
  await look();
  expect(await eventsOf(project)).toEqual(['skyrun.budget.exceeded.v1 50']);
  // A closed period does not make the month's spending less.
  await closePeriod(billing, project, null);
  await spend('c', 5_000_000);
  await look();
  expect((await eventsOf(project)).slice(1)).toEqual(['skyrun.project.capped.v1']);
  expect(await listBudgets(billing, project)).toMatchObject([{ id, capReached: true, amount: '4.00' }]);

  expect(await replaceBudget(billing, project, id, { ...spec, amount: '100.00' })).toMatchObject({ capReached: false });
  expect((await eventsOf(project)).slice(2)).toEqual(['skyrun.project.uncapped.v1']);
  await replaceBudget(billing, project, id, { ...spec, thresholds: [] });
  expect((await eventsOf(project)).slice(3)).toEqual(['skyrun.project.capped.v1']);
  await deleteBudget(billing, project, id);
  expect((await eventsOf(project)).slice(4)).toEqual(['skyrun.project.uncapped.v1']);
});

test('two budgets cannot share a name, and an unknown one is not found', async () => {
  const spec = { name: 'x', amount: '1', hardCap: false, thresholds: [] };
  await createBudget(billing, 'names', spec);
  await expect(createBudget(billing, 'names', spec)).rejects.toMatchObject({ code: 'resource.already_exists' });
  await expect(createBudget(billing, 'names', { ...spec, name: 'y', amount: '-1' })).rejects.toMatchObject({
    code: 'request.invalid',
  });
  await expect(deleteBudget(billing, 'names', 'bdg_x')).rejects.toMatchObject({ code: 'resource.not_found' });
});

test('costs are shown by day, revision and instance, with what is idle and the other mode beside', async () => {
  const project = 'analysed';
  const yesterday = NOON - DAY_MS;
  await ingestBatch(billing, [
    usageEvent({ project, key: 'a', from: yesterday, until: yesterday + 10_000, requests: 1000 }),
    usageEvent({ project, key: 'b', from: NOON, until: NOON + 10_000, requests: 3000, instance: 2 }),
    usageEvent({ project, key: 'l1', kind: 'lifetime', from: yesterday, until: yesterday + 40_000, minInstance: true }),
    usageEvent({ project, key: 'l2', kind: 'lifetime', from: NOON, until: NOON + 100_000, instance: 2 }),
  ]);
  const by = (groupBy: 'day' | 'instance' | 'revision') => getCostAnalysis(billing, project, { groupBy });
  const days = await by('day');
  // 10 s × (0.000024 + 0.5 × 0.0000025) + requests; yesterday 30 s idle × 1.5 × 0.0000025.
  expect(days.groups).toMatchObject([
    { key: '2026-01-14', amount: '0.000765', requests: '1000', idleAmount: '0.0001125', per1000Requests: '0.000765' },
    { key: '2026-01-15', amount: '0.0014525', requests: '3000', idleAmount: '0.00', idleShare: 0 },
  ]);
  expect(days.total).toMatchObject({ amount: '0.0022175', requests: '4000' });
  expect((await by('revision')).groups).toMatchObject([{ key: 'api/api-00001', amount: '0.0022175', service: 'api' }]);
  expect((await by('instance')).groups).toHaveLength(2);
  // 60 s (the minimum) + 100 s of 1 vCPU and 0.5 GiB.
  expect(days.modes).toMatchObject([
    { service: 'api', mode: 'request', otherMode: 'instance', otherAmount: '0.00304', saving: '-0.0008225' },
  ]);
  const today = await getCostAnalysis(billing, project, { groupBy: 'day', from: '2026-01-15', until: '2026-01-15' });
  expect(today.groups).toHaveLength(1);
  await expect(
    getCostAnalysis(billing, project, { groupBy: 'day', from: '2026-01-15', until: '2026-01-14' }),
  ).rejects.toMatchObject({ code: 'request.invalid' });
});

test('a new month lifts a cap', async () => {
  const own = await testBilling(await testDatabase('billing'));
  try {
    const project = 'monthly';
    await ingestBatch(own, [usageEvent({ project, key: 'a', requests: 10_000_000 })]);
    await createBudget(own, project, { name: 'all', amount: '1', hardCap: true, thresholds: [] });
    expect(await listBudgets(own, project)).toMatchObject([{ capReached: true }]);
    await own.clock.advance(31 * DAY_MS);
    await runOnce(budgetJob(() => own));
    expect(await listBudgets(own, project)).toMatchObject([{ capReached: false, forecast: { spent: '0.00' } }]);
  } finally {
    await own.close();
  }
});
