import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, isoTime, newId } from '@skyrun/kit';
import { problemOf, until } from '@skyrun/testing';
import { describe, expect, it } from 'vitest';
import { cost, deleted, makeEvent } from './events.fixture.ts';
import { useReplica } from './replica.fixture.ts';

const { start, query, publish, recorded, client, history } = useReplica();

describe('history', () => {
  it('keeps every history event once, however often it is delivered', async () => {
    const events = ['a', 'b', 'c'].map((mark) => deleted('once', mark));
    await publish(events);
    await publish(events);
    await publish([deleted('once', 'last')]);
    await until(async () => (await recorded('once')) === 4);
    await clock.sleep(300);
    const { items } = await history('once');
    expect(items.map(({ subject }) => subject.split('/').at(-1))).toEqual(['last', 'c', 'b', 'a']);
    expect(items.at(-1)).toEqual(events[0]);
  });

  it('does not keep ephemeral events', async () => {
    await publish([cost('brief'), deleted('brief', 'kept')]);
    await until(async () => (await recorded('brief')) === 1);
    expect((await history('brief')).items.map(({ type }) => type)).toEqual(['skyrun.image.deleted.v1']);
  });

  it('pages newest first without gap or repeat while new events come in', async () => {
    const base = clock.now() - 60_000;
    // Three events share each millisecond, so that the tie must be broken.
    await publish(Array.from({ length: 31 }, (_, n) => deleted('pages', `m${n}`, base + Math.floor(n / 3))));
    await until(async () => (await recorded('pages')) === 31);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await history('pages', { limit: 7, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
      if (seen.length === 7) {
        await publish([deleted('pages', 'new')]);
        await until(async () => (await recorded('pages')) === 32);
      }
    } while (cursor);
    expect(seen).toHaveLength(31);
    expect(new Set(seen).size).toBe(31);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['type', { type: 'skyrun.image.deleted.v1' }, ['two', 'one']],
    ['type pattern', { type: 'skyrun.member.*' }, ['joined']],
    ['subject prefix', { subject: 'images/filter/o' }, ['one']],
    ['a subject with a wildcard of SQL is plain text', { subject: 'images/filter/%' }, []],
    ['since', { since: isoTime(1_790_000_002_000) }, ['joined', 'two']],
    ['until, exclusive', { until: isoTime(1_790_000_002_000) }, ['one']],
    ['text', { text: 'ViEwEr' }, ['joined']],
    ['text with a wildcard of SQL is plain text', { text: 'view%' }, []],
  ])('filters by %s', async (_, filter, expected) => {
    const at = clock.now() - 3_600_000;
    if ((await recorded('filter')) === 0) {
      const userId = newId('user', clock);
      const data = { project: 'filter', userId, role: 'viewer' as const };
      await publish([
        deleted('filter', 'one', at + 1_000),
        deleted('filter', 'two', at + 2_000),
        makeEvent({ type: 'skyrun.member.added.v1', subject: 'projects/filter', project: 'filter', data }, at + 3_000),
      ]);
      await until(async () => (await recorded('filter')) === 3);
    }
    const all = (await history('filter')).items;
    const second = Date.parse(all[1]?.time ?? '');
    const bounds = Object.fromEntries(
      Object.entries(filter).map(([name, value]) => [
        name,
        ['since', 'until'].includes(name) ? isoTime(second) : value,
      ]),
    );
    const { items } = await history('filter', bounds);
    const names: Record<string, string> = { 'images/filter/one': 'one', 'images/filter/two': 'two' };
    expect(items.map(({ subject }) => names[subject] ?? 'joined')).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>]>([
    ['type', { type: 'skyrun.nothing.*' }],
    ['cursor', { cursor: 'made-up' }],
    ['until', { since: isoTime(2_000), until: isoTime(1_000) }],
    ['limit', { limit: 501 }],
    ['text', { text: 'a\0b' }],
  ])('names the field %s when it is not valid', async (field, query) => {
    const problem = await problemOf(history('filter', query));
    expect(problem).toMatchObject({ code: 'request.invalid', errors: [{ field: expect.stringContaining(field) }] });
  });

  it('is a project’s own, and the whole one is for administrators', async () => {
    await publish([deleted('mine', 'x'), deleted('yours', 'y')]);
    await until(async () => (await recorded('mine')) + (await recorded('yours')) === 2);
    const params = { project: 'yours' };
    const foreign = client('reader:mine').call(OPERATIONS.listProjectEvents, { params });
    expect((await problemOf(foreign)).code).toBe('auth.forbidden');
    expect((await problemOf(client('reader:mine').call(OPERATIONS.listEvents))).code).toBe('auth.forbidden');
    const all = await client('root:*').call(OPERATIONS.listEvents, { query: { subject: 'images/' } });
    expect(all.items.map(({ project }) => project)).toEqual(expect.arrayContaining(['mine', 'yours']));
  });

  it('writes many deliveries in few transactions', async () => {
    const before = await query<{ n: string }>('select count(distinct xmin::text) as n from log');
    await publish(Array.from({ length: 1000 }, (_, n) => deleted('bulk', `b${n}`)));
    await until(async () => (await recorded('bulk')) === 1000);
    const after = await query<{ n: string }>('select count(distinct xmin::text) as n from log');
    const transactions = Number(after.rows[0]?.n) - Number(before.rows[0]?.n);
    expect(transactions).toBeLessThan(200);
  });

  it('puts late events into the day they belong to, and drops days past retention', async () => {
    const days = (n: number) => clock.now() - n * 86_400_000;
    await publish([deleted('late', 'ten', days(10)), deleted('late', 'forty', days(40)), deleted('late', 'now')]);
    await until(async () => (await recorded('late')) === 2);
    const short = await start({ SKYRUN_EVENT_RETENTION_DAYS: '5' });
    expect(await recorded('late')).toBe(1);
    await short.stop();
  });
});
