import { randomBytes } from 'node:crypto';
import { silentLogger } from '@skyrun/kit';
import { testRedisUrl } from '@skyrun/testing';
import { expect, test, vi } from 'vitest';
import type { Job } from './job.ts';
import { createQueuedJobs } from './queued-jobs.ts';

const soon = { timeout: 40_000, interval: 50 };

test('replicas share items without a leader, try again what failed, and outlive the one that stops', async () => {
  const url = await testRedisUrl();
  const prefix = `billing-${randomBytes(4).toString('hex')}`;
  const runs: { item: string; by: number }[] = [];
  const running = new Set<string>();
  let twiceAtOnce = 0;
  const items = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const jobOf = (by: number): Job => ({
    name: 'work',
    everyMs: 500,
    remembered: false,
    items: async () => items,
    async run(item) {
      if (running.has(item)) twiceAtOnce += 1;
      running.add(item);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running.delete(item);
      const before = runs.filter((run) => run.item === item).length;
      runs.push({ item, by });
      if (item === 'p3' && before < 2) throw new Error('not yet');
    },
  });
  const replicas = [0, 1, 2].map((by) =>
    createQueuedJobs({ url, prefix, jobs: [jobOf(by)], logger: silentLogger, retryAfterMs: 20 }),
  );
  try {
    for (const replica of replicas) replica.start();
    await vi.waitFor(() => {
      expect(new Set(runs.map(({ item }) => item)).size).toBe(items.length);
      expect(new Set(runs.map(({ by }) => by)).size).toBe(3);
      expect(runs.filter(({ item }) => item === 'p3').length).toBeGreaterThanOrEqual(3);
    }, soon);
    await replicas[0]?.stop();
    const stoppedAt = runs.length;
    await vi.waitFor(() => {
      expect(new Set(runs.slice(stoppedAt).map(({ item }) => item)).size).toBe(items.length);
    }, soon);
    expect(runs.slice(stoppedAt).some(({ by }) => by === 0)).toBe(false);
    expect(twiceAtOnce).toBe(0);
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
});

test('stopping before or while it starts leaves nothing behind', async () => {
  const url = await testRedisUrl();
  const jobs: Job[] = [
    { name: 'work', everyMs: 60_000, remembered: true, items: async () => [], run: async () => undefined },
  ];
  const make = () =>
    createQueuedJobs({ url, prefix: `billing-${randomBytes(4).toString('hex')}`, jobs, logger: silentLogger });
  const never = make();
  await never.stop();
  never.start();
  const early = make();
  early.start();
  await early.stop();
  await early.stop();
});

test('what was done, waits and failed can be looked at, and what failed can be tried again', async () => {
  const url = await testRedisUrl();
  const prefix = `billing-${randomBytes(4).toString('hex')}`;
  let broken = true;
  const job: Job = {
    name: 'close-periods',
    everyMs: 3_600_000,
    remembered: true,
    items: async () => ['good', 'bad'],
    async run(item) {
      if (item === 'bad' && broken) throw new Error('the printer is on fire');
    },
  };
  const runner = createQueuedJobs({ url, prefix, jobs: [job], logger: silentLogger, retryAfterMs: 1 });
  try {
    await expect(runner.show({ limit: 10 })).rejects.toMatchObject({ code: 'platform.unavailable' });
    runner.start();
    const failed = await vi.waitFor(async () => {
      const { runner: kind, kinds, counts, jobs } = await runner.show({ limit: 10 });
      expect({ kind, kinds }).toMatchObject({ kind: 'queue', kinds: [{ name: 'close-periods', everyMs: 3_600_000 }] });
      expect(kinds[0]?.nextAt).not.toBeNull();
      expect(counts).toMatchObject({ failed: 1, active: 0, delayed: 0 });
      expect(jobs.find(({ item }) => item === 'good')).toMatchObject({ state: 'completed', error: null, attempts: 1 });
      const [bad] = (await runner.show({ state: 'failed', limit: 10 })).jobs;
      expect(bad).toMatchObject({ item: 'bad', state: 'failed', attempts: 6, error: 'the printer is on fire' });
      return bad?.id ?? '';
    }, soon);
    broken = false;
    expect(await runner.retry(failed)).toMatchObject({ id: failed, state: 'waiting' });
    await vi.waitFor(async () => {
      const { jobs } = await runner.show({ state: 'completed', limit: 10 });
      expect(jobs.map(({ item }) => item).sort()).toEqual(['bad', 'good']);
    }, soon);
    await expect(runner.retry(failed)).rejects.toMatchObject({ code: 'resource.conflict' });
    await expect(runner.retry('nobody')).rejects.toMatchObject({ code: 'resource.not_found' });
  } finally {
    await runner.stop();
  }
});
