import { spawn } from 'node:child_process';
import { once as eventOnce } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createBus } from '@skyrun/bus';
import type { AnyEvent, EventDraft } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { appendEvents, createDatabase } from '@skyrun/postgres';
import { startRedis, testDatabase, testRabbitUrl } from '@skyrun/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { applyOnce } from './index.ts';

const SCRIPT = fileURLToPath(new URL('./relay-kill.fixture.ts', import.meta.url));
const MIGRATIONS = new URL('./examples/migrations/', import.meta.url);
const WHEN = '2026-01-01T00:00:00.000Z';
const TOTAL = 55;
const BATCH = 10;

const draft = (gateway: string): EventDraft => ({
  type: 'skyrun.usage.lost.v1',
  subject: `gateways/${gateway}`,
  data: { gateway, from: WHEN, until: WHEN },
});

describe.each(['redis', 'rabbitmq'] as const)('a relay that is killed, over %s', (kind) => {
  const cleanup: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const undo of cleanup.splice(0).reverse()) await undo();
  });

  const brokerUrl = async () => {
    if (kind === 'rabbitmq') return testRabbitUrl();
    const redis = await startRedis({ aof: true });
    cleanup.push(() => redis.stop());
    return redis.url;
  };

  it.each([
    { when: 'before', repeated: 0, what: 'before the broker got the batch: nothing is lost, nothing repeated' },
    { when: 'after', repeated: BATCH, what: 'after the confirm: the batch comes twice and takes effect once' },
  ])(
    '$what',
    async ({ when, repeated }) => {
      const url = await brokerUrl();
      const own = await testDatabase('killed_relay');
      cleanup.push(own.drop);
      const options = { applicationName: 'check', logger: silentLogger };
      const db = createDatabase({ url: own.url, schema: 'registry', ...options });
      const consumer = createDatabase({ url: own.url, schema: 'consumer', ...options });
      cleanup.push(() => Promise.all([db.close(), consumer.close()]));
      await db.migrate(MIGRATIONS);
      await consumer.migrate(MIGRATIONS);

      const delivered: AnyEvent[] = [];
      const bus = await createBus({ kind, url, clock: systemClock, logger: silentLogger });
      cleanup.push(() => bus.close());
      await bus.subscribe({
        group: `killed-relay-${when}`,
        types: ['skyrun.usage.lost.v1'],
        async handler(event) {
          delivered.push(event);
          await consumer.transaction((tx) =>
            applyOnce(tx, 'count', event, async () => {
              // A row per effect: a second one would be seen.
              await tx.query(
                `insert into journal (subject, type, sequence, project, item) values ($1, $2, $3, 'p', 'lost')`,
                [event.subject, event.type, event.sequence],
              );
            }),
          );
        },
      });

      const drafts = Array.from({ length: TOTAL }, (_, index) => draft(index % 2 ? 'a' : 'b'));
      await db.transaction((tx) => appendEvents(tx, 'registry', drafts, systemClock));
      const relay = (mode: string) => {
        const child = spawn(process.execPath, [SCRIPT, kind, url, own.url, mode], { env: {}, stdio: 'inherit' });
        cleanup.push(async () => child.kill('SIGKILL'));
        return child;
      };
      const [, signal] = await eventOnce(relay(when), 'exit');
      expect(signal).toBe('SIGKILL');
      const sent = await db.query('select 1 from outbox where sent_at is not null');
      expect(sent.rows).toHaveLength(BATCH);

      relay('never');
      const unsent = async () => (await db.query('select 1 from outbox where sent_at is null')).rows.length;
      await expect.poll(unsent).toBe(0);
      await expect.poll(() => delivered.length).toBe(TOTAL + repeated);
      // A delivery is counted when its handler starts; its effect is there when the handler's transaction has ended.
      const effects = async () =>
        (await consumer.query('select subject, count(*) as effects from journal group by subject order by subject'))
          .rows;
      await expect.poll(effects).toEqual([
        { subject: 'gateways/a', effects: '27' },
        { subject: 'gateways/b', effects: '28' },
      ]);
      for (const subject of ['gateways/a', 'gateways/b']) {
        const sequences = delivered.filter((event) => event.subject === subject).map(({ sequence }) => sequence);
        const first = [...new Set(sequences)];
        expect(first).toEqual(first.map((_, index) => index + 1));
      }
    },
    120_000,
  );
});
