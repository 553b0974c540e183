import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient } from '@skyrun/kit';
import { expect, test, vi } from 'vitest';
import { ROOT } from '../root.ts';
import { openLaboratory } from './laboratory.ts';
import { createLoader } from './load.ts';
import type { Party } from './party.ts';

const PATIENCE = { timeout: 90_000, interval: 200 };

/** What `/readyz` of a process says; null while nobody answers. */
async function readiness({ spec }: Party): Promise<Record<string, unknown> | null> {
  if (spec.ready?.kind !== 'http') throw new Error(`${spec.name} is not asked over HTTP`);
  const answer = await fetch(spec.ready.url).catch(() => null);
  return answer === null ? null : { status: answer.status, body: await answer.text() };
}

test.each(['redis', 'rabbitmq'] as const)(
  'every process starts without %s, says so, and works when it comes',
  async (broker) => {
    const without: string[] = [];
    const laboratory = await openLaboratory({
      root: ROOT,
      node: process.execPath,
      broker,
      clock,
      smallDisks: false,
      async beforeBroker(services) {
        for (const service of services) {
          const answered = await vi.waitUntil(() => readiness(service), PATIENCE);
          // Requests of tenants need no broker; a gateway is ready without.
          if (!service.name.startsWith('gateway')) expect(answered, service.name).toMatchObject({ status: 503 });
          if (answered['status'] === 503) expect(answered['body'], service.name).toContain('broker');
          without.push(service.name);
        }
      },
    });
    try {
      expect(without.length).toBeGreaterThanOrEqual(broker === 'redis' ? 2 : 6);
      const { url, effects, bus } = laboratory;
      const loader = await createLoader({ ...laboratory, clock });
      const load = loader.start('late', { room: (acknowledged) => acknowledged < 60, pauseMs: 50 });
      await vi.waitUntil(() => load.acknowledged.length >= 60, PATIENCE);
      await load.finish();
      const written = async () => {
        const { rows } = await effects.query<{ count: number }>(
          `select count(*)::int as count from journal where subject like '%/late-%'`,
        );
        return rows[0]?.count ?? 0;
      };
      await vi.waitUntil(async () => (await written()) >= load.acknowledged.length, PATIENCE);
      expect(await written()).toBe(load.acknowledged.length);
      const { accessToken } = await createClient({ baseUrl: url }).call(OPERATIONS.signIn, { body: laboratory });
      const client = createClient({ baseUrl: url, token: () => accessToken });
      const { items } = await client.call(OPERATIONS.listEvents, { query: { limit: 5 } });
      expect(items).toHaveLength(5);
      expect(bus.ready()).toBe(true);
    } finally {
      await laboratory.end(false);
    }
  },
  240_000,
);
