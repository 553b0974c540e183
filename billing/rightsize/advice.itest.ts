import type { InstanceSample } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { insertSample, measuredServices } from '../store/samples.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { instanceId, NOON, usageEvent } from '../testing/usage-events.ts';
import { SAMPLE_DAYS, trimSamplesJob } from './consumer.ts';
import { getBillingAdvice } from './get-advice.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const project = 'sized';
const sample = (minute: number, fields: Partial<InstanceSample> = {}): InstanceSample => ({
  project,
  service: 'api',
  serviceId: 'svc_01890000-0000-7000-8000-000000000001',
  revisionId: 'rev_01890000-0000-7000-8000-000000000002',
  revisionName: 'api-00001',
  instanceId: instanceId(1),
  windowStart: isoTime(NOON - (60 - minute) * 60_000),
  windowEnd: isoTime(NOON - (59 - minute) * 60_000),
  samples: 12,
  cpuMilli: { p50: 40, p95: 60, max: 200 },
  memoryMib: { p50: 80, p95: 90, max: 100 },
  cpuLimitMilli: 1000,
  memoryLimitMib: 512,
  ...fields,
});

test('a service that uses little is told which size would do and what it saves, to the last digit', async () => {
  const db = billing.db.kysely<unknown>();
  await ingestBatch(billing, [
    usageEvent({ project, key: 'a', from: NOON - 100_000, until: NOON, requests: 1000, bytesOut: 2 ** 31 }),
  ]);
  for (let minute = 0; minute < 40; minute += 1) {
    await insertSample(db, sample(minute));
    await insertSample(db, sample(minute));
  }
  const before = await getBillingAdvice(billing, project, 7);
  expect(before.rightSizing).toMatchObject([
    {
      service: 'api',
      windows: 40,
      instances: 1,
      verdict: 'shrink',
      cpuMilli: { requested: 1000, p50: 40, p95: 60, max: 200, recommended: 100 },
      memoryMib: { requested: 512, max: 100, recommended: 128 },
      // 100 s × (0.000024 + 0.5 × 0.0000025) + 1000 requests; what was sent is no matter of size.
      amount: '0.002925',
      // 100 s × (0.0000024 + 0.125 × 0.0000025) + 1000 requests.
      recommendedAmount: '0.00067125',
      saving: '0.00225375',
    },
  ]);
});

test('after a change of size only what runs at the new one counts, and old samples go', async () => {
  const db = billing.db.kysely<unknown>();
  await insertSample(db, sample(50, { cpuLimitMilli: 250, instanceId: instanceId(2) }));
  expect(await measuredServices(db, project, 0)).toMatchObject([{ cpuMilli: 250, windows: 1, instances: 1 }]);
  expect((await getBillingAdvice(billing, project, 7)).rightSizing).toMatchObject([{ verdict: 'too_little' }]);
  await billing.clock.advance((SAMPLE_DAYS + 1) * 86_400_000);
  await runOnce(trimSamplesJob(() => billing));
  expect(await measuredServices(db, project, 0)).toEqual([]);
});
