import { randomBytes } from 'node:crypto';
import { createBus, type EventBus } from '@skyrun/bus';
import { OPERATIONS, PLATFORM_GROUPS } from '@skyrun/contracts';
import { systemClock as clock, createApi, createClient, silentLogger } from '@skyrun/kit';
import { problemOf, type Served, serve, testRabbitUrl, testRedisUrl, until } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleted, tokenBook } from '../events.fixture.ts';
import { createDeadLetterDesk } from './desk.ts';
import { bindDeadLetters } from './routes.ts';

describe.each([
  ['redis', testRedisUrl],
  ['rabbitmq', testRabbitUrl],
] as const)('dead letters on %s', (kind, address) => {
  let bus: EventBus;
  let served: Served;
  const group = `team-${randomBytes(4).toString('hex')}`;
  const handled: string[] = [];
  let broken = true;
  const known = {
    list: async () => [
      ...Object.values(PLATFORM_GROUPS).map((one) => ({
        name: one.group,
        project: null,
        types: one.types,
        seenAt: null,
      })),
      { name: group, project: 'letters', types: ['skyrun.image.deleted.v1'], seenAt: null },
    ],
  };

  beforeAll(async () => {
    bus = await createBus({
      kind,
      url: await address(),
      namespace: `letters-${randomBytes(4).toString('hex')}`,
      clock,
      logger: silentLogger,
      retry: { maxAttempts: 2, baseMs: 1, maxMs: 5 },
    });
    await bus.subscribe({
      group,
      types: ['skyrun.image.deleted.v1'],
      async handler({ subject }) {
        if (broken) throw new TypeError(`cannot handle ${subject}`);
        handled.push(subject.split('/').at(-1) ?? '');
      },
    });
    const api = createApi();
    bindDeadLetters(api, createDeadLetterDesk(bus, known));
    const module = {
      name: 'letters',
      api,
      start: async () => undefined,
      stop: async () => undefined,
      ready: () => ({ ok: true, checks: {} }),
    };
    served = await serve(() => ({ modules: [module], authenticator: tokenBook() }));
  });
  afterAll(async () => {
    await served.stop();
    await bus.close();
  });

  const client = (token = 'root:*') => createClient({ baseUrl: served.url, token: () => token });
  const list = (query: Record<string, unknown> = {}) =>
    client().call(OPERATIONS.listDeadLetters, { params: { group }, query });

  it('shows them in pages, with event, error and attempts', async () => {
    await bus.publish(['a', 'b', 'c', 'd'].map((mark) => deleted('letters', mark)));
    await until(async () => (await list()).items.length === 4, 30_000);
    const first = await list({ limit: 3 });
    expect(first.items).toHaveLength(3);
    expect(first.items[0]).toMatchObject({
      attempts: 2,
      error: expect.stringMatching(/^TypeError: cannot handle \S+$/),
    });
    expect(first.items[0]?.stack[0]).toMatch(/^at .*dead-letters\.itest\.ts/);
    expect(first.items[0]?.event?.type).toBe('skyrun.image.deleted.v1');
    const rest = await list({ limit: 3, cursor: first.nextCursor ?? undefined });
    expect(rest.nextCursor).toBeNull();
    const subjects = [...first.items, ...rest.items].map(({ event }) => event?.subject.split('/').at(-1));
    expect(subjects.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('drops some for a reason, replays one, then all; the events arrive unchanged', async () => {
    const letters = (await list()).items;
    const id = (mark: string) => letters.find(({ event }) => event?.subject.endsWith(`/${mark}`))?.id ?? '';
    const body = { ids: [id('a')], reason: 'known bad' };
    expect(await client().call(OPERATIONS.discardDeadLetters, { params: { group }, body })).toEqual({ discarded: 1 });
    broken = false;
    const replay = (ids: string[] | 'all') =>
      client().call(OPERATIONS.replayDeadLetters, { params: { group }, body: { ids } });
    expect(await replay([id('b')])).toEqual({ replayed: 1 });
    await until(() => handled.length === 1, 30_000);
    expect(await replay('all')).toEqual({ replayed: 2 });
    await until(() => handled.length === 3, 30_000);
    expect(handled.toSorted()).toEqual(['b', 'c', 'd']);
    expect((await list()).items).toEqual([]);
  });

  it('knows the platform’s groups, and finds nothing in one that is not there', async () => {
    const { items } = await client().call(OPERATIONS.listDeadLetterGroups);
    expect(items.map((item) => item.group)).toEqual(expect.arrayContaining(['events', 'billing', 'registry', group]));
    expect(items.every(({ letters, more }) => letters === 0 && !more)).toBe(true);
    const nobody = await client().call(OPERATIONS.listDeadLetters, { params: { group: 'nobody' } });
    expect(nobody).toEqual({ items: [], nextCursor: null });
  });

  it('is for administrators, and refuses what is no id', async () => {
    const stranger = client('ann:letters').call(OPERATIONS.listDeadLetterGroups);
    expect((await problemOf(stranger)).code).toBe('auth.forbidden');
    const body = { ids: ['no id!'], reason: 'x' };
    const refused = client().call(OPERATIONS.discardDeadLetters, { params: { group }, body });
    expect((await problemOf(refused)).code).toBe('request.invalid');
  });
});
