import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient } from '@skyrun/kit';
import { expect, test, vi } from 'vitest';
import { ROOT } from '../root.ts';
import { openLaboratory } from './laboratory.ts';
import { createLoader } from './load.ts';
import type { Party } from './party.ts';
import { type Effect, judge } from './verdict.ts';

const PATIENCE = { timeout: 90_000, interval: 200 };

/** What `/readyz` of a process answers, status first; '' while nobody does. */
async function readiness({ spec }: Party): Promise<string> {
  if (spec.ready?.kind !== 'http') throw new Error(`${spec.name} is not asked over HTTP`);
  const answer = await fetch(spec.ready.url).catch(() => null);
  return answer === null ? '' : `${answer.status} ${await answer.text()}`;
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
          // Requests of tenants need no broker: a gateway is ready without.
          const expected = service.name.startsWith('gateway') ? /^200/ : /^503.*"bus\.broker":"away"/;
          await vi.waitUntil(async () => expected.test(await readiness(service)), PATIENCE);
          without.push(service.name);
        }
      },
    });
    try {
      expect(without.length).toBeGreaterThanOrEqual(broker === 'redis' ? 2 : 6);
      const { url, bus, email, password } = laboratory;
      const loader = await createLoader({ ...laboratory, clock });
      const load = loader.start('late', { room: (acknowledged) => acknowledged < 60, pauseMs: 50 });
      await vi.waitUntil(() => load.acknowledged.length >= 60, PATIENCE);
      await load.finish();
      const effects = async () =>
        (
          await laboratory.effects.query<Effect>(
            `select subject, item, sequence::int as sequence from journal where subject like '%/late-%' order by id`,
          )
        ).rows;
      await vi.waitUntil(async () => judge(load.acknowledged, await effects()).lost === 0, PATIENCE);
      expect(judge(load.acknowledged, await effects())).toMatchObject({ lost: 0, duplicated: 0, disordered: 0 });
      const { accessToken } = await createClient({ baseUrl: url }).call(OPERATIONS.signIn, {
        body: { email, password },
      });
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
