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
  const jobs: Job[] = [{ name: 'work', everyMs: 60_000, items: async () => [], run: async () => undefined }];
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
