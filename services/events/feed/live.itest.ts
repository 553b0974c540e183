import { type EventEnvelope, LIVE_FEED } from '@skyrun/contracts';
import { systemClock as clock } from '@skyrun/kit';
import { until } from '@skyrun/testing';
import { io } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import { cost, deleted } from '../events.fixture.ts';
import { useReplica } from '../replica.fixture.ts';

const { start, url, query, publish, recorded, connect, goneAfterwards } = useReplica();

describe('live feed', () => {
  it('gives a project’s events to those who may read them, and no others', async () => {
    const reader = connect('ann:live-a');
    expect(await reader.subscribe({ project: 'live-a' })).toMatchObject({ ok: true, complete: true });
    expect(await reader.subscribe({ project: 'live-b' })).toMatchObject({
      ok: false,
      problem: { code: 'auth.forbidden' },
    });
    expect(await reader.subscribe({ all: true })).toMatchObject({ ok: false, problem: { code: 'auth.forbidden' } });
    const admin = connect('root:*');
    await admin.subscribe({ all: true });
    await admin.subscribe({ project: 'live-a' });
    await publish([deleted('live-b', 'secret'), deleted('live-a', 'open'), cost('live-b'), cost('live-a')]);
    await until(() => reader.events.length === 2 && admin.events.filter(isLive).length === 4);
    await clock.sleep(200);
    expect(reader.events.every(({ project }) => project === 'live-a')).toBe(true);
    expect(admin.events.filter(isLive)).toHaveLength(4);
  });

  it('lets nobody into a room but by a subscription that is allowed', async () => {
    await publish([deleted('vault', 'before')]);
    await until(async () => (await recorded('vault')) === 1);
    const { rows } = await query<{ id: string }>(`select id from log where project = 'vault'`);
    const thief = connect('eve:own');
    await thief.subscribe({ project: 'own' });
    // What other servers of socket.io take for joining.
    for (const room of ['project:vault', 'all']) {
      for (const name of ['join', 'room', 'joinRoom']) thief.socket.emit(name, room);
      thief.socket.emit('event', { rooms: [room] }, { room });
    }
    for (const message of [
      { project: 'vault' },
      { project: 'vault', after: rows[0]?.id },
      { project: ['own', 'vault'] },
      { project: 'own', room: 'project:vault' },
      { project: 'own', projects: ['vault'] },
      { all: true },
    ]) {
      await thief.socket.timeout(30_000).emitWithAck(LIVE_FEED.subscribe, message);
    }
    await publish([deleted('vault', 'after'), cost('vault'), deleted('own', 'mine')]);
    await until(() => thief.events.some(({ subject }) => subject.endsWith('mine')));
    await clock.sleep(200);
    expect(thief.events.map(({ project }) => project)).toEqual(['own']);
  });

  it('hears nothing more, not even what it missed, when it comes back without the permission', async () => {
    let projects = 'lent,kept';
    const reader = connect('', url(), {
      auth: (give: (auth: { token: string }) => void) => give({ token: `ann:${projects}` }),
      reconnectionDelay: 50,
      reconnectionDelayMax: 50,
    });
    const answers: boolean[] = [];
    const cursors = new Map<string, string>();
    reader.socket.on(LIVE_FEED.event, ({ project = '' }: EventEnvelope, { cursor }: { cursor: string }) =>
      cursors.set(project, cursor),
    );
    reader.socket.on('connect', async () => {
      for (const project of ['lent', 'kept']) {
        const after = cursors.get(project);
        answers.push((await reader.subscribe({ project, ...(after ? { after } : {}) })).ok);
      }
    });
    await until(() => answers.length === 2);
    await publish([deleted('lent', 'a'), deleted('kept', 'a')]);
    await until(() => reader.events.length === 2);
    projects = 'kept';
    reader.socket.io.engine.close();
    await publish([deleted('lent', 'b'), deleted('kept', 'b')]);
    await until(() => answers.length === 4);
    await publish([deleted('lent', 'c'), deleted('kept', 'c')]);
    await until(() => reader.events.some(({ subject }) => subject === 'images/kept/c'));
    await clock.sleep(200);
    expect(answers).toEqual([true, true, false, true]);
    expect(reader.events.slice(2).map(({ subject }) => subject)).toEqual(['images/kept/b', 'images/kept/c']);
  });

  it.each([
    ['no token', {}],
    ['a token that does not hold', { token: 'nonsense' }],
    ['an expired token', { token: 'ann:live-a:1000' }],
  ])('refuses a connection with %s', async (_, auth) => {
    const socket = io(url(), { path: LIVE_FEED.path, auth, transports: ['websocket'], reconnection: false });
    goneAfterwards(socket);
    const error = await new Promise<Error & { data?: { code: string } }>((resolve) => {
      socket.on('connect_error', resolve);
    });
    expect(error.data?.code).toMatch(/^auth\.(required|invalid_token)$/);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a bad project', { project: '../x' }],
    ['all: false', { all: false }],
    ['both', { all: true, project: 'live-a' }],
  ])('answers %s with request.invalid', async (_, message) => {
    const { socket } = connect('ann:live-a');
    const answer = await socket.timeout(30_000).emitWithAck(LIVE_FEED.subscribe, message);
    expect(answer).toMatchObject({ ok: false, problem: { code: 'request.invalid' } });
  });

  it('sends nothing more after unsubscribe', async () => {
    const reader = connect('ann:leave');
    await reader.subscribe({ project: 'leave' });
    await publish([deleted('leave', 'first')]);
    await until(() => reader.events.length === 1);
    await reader.socket.emitWithAck(LIVE_FEED.unsubscribe, { project: 'leave' });
    await publish([deleted('leave', 'second')]);
    await until(async () => (await recorded('leave')) === 2);
    await clock.sleep(300);
    expect(reader.events).toHaveLength(1);
  });

  it('reaches clients of every replica', async () => {
    const other = await start();
    const here = connect('ann:wide');
    const there = connect('ann:wide', other.url);
    await here.subscribe({ project: 'wide' });
    await there.subscribe({ project: 'wide' });
    await publish([deleted('wide', 'x'), cost('wide')]);
    await until(() => here.events.length === 2 && there.events.length === 2);
    there.socket.disconnect();
    await other.stop();
  });

  it('works over long polling too', async () => {
    const reader = connect('ann:poll', url(), { transports: ['polling'] });
    await reader.subscribe({ project: 'poll' });
    await publish([deleted('poll', 'x')]);
    await until(() => reader.events.length === 1);
  });

  it('closes when the token expires, and not when it was renewed in time', async () => {
    // Long enough to be renewed on a busy machine, short enough to wait for.
    const expiry = clock.now() + 4_000;
    const late = connect(`ann:expiry:${expiry}`, url(), { reconnection: false });
    const timely = connect(`ben:expiry:${expiry}`, url(), { reconnection: false });
    await late.subscribe({ project: 'expiry' });
    await timely.subscribe({ project: 'expiry' });
    await timely.subscribe({ project: 'other' });
    const renewed = await timely.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'ben:expiry' });
    expect(renewed).toMatchObject({ ok: true });
    await until(() => !late.socket.connected);
    expect(late.closing).toMatchObject([{ code: 'auth.invalid_token' }]);
    expect(timely.socket.connected).toBe(true);
    await publish([deleted('expiry', 'x')]);
    await until(() => timely.events.length === 1);
    expect(late.events).toHaveLength(0);
  });

  it('lets a renewed token without the project hear it no more, and refuses another account’s', async () => {
    const reader = connect('ann:gone,stays');
    await reader.subscribe({ project: 'gone' });
    await reader.subscribe({ project: 'stays' });
    const other = await reader.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'eve:gone' });
    expect(other).toMatchObject({ ok: false, problem: { code: 'auth.invalid_token' } });
    await reader.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'ann:stays' });
    await publish([deleted('gone', 'x'), deleted('stays', 'y')]);
    await until(() => reader.events.length === 1);
    await clock.sleep(200);
    expect(reader.events.map(({ project }) => project)).toEqual(['stays']);
  });
});

function isLive({ project }: EventEnvelope): boolean {
  return project === 'live-a' || project === 'live-b';
}
