import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock } from '@skyrun/kit';
import { until } from '@skyrun/testing';
import type { Socket } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import { deleted } from '../events.fixture.ts';
import { useReplica } from '../replica.fixture.ts';

const { start, url, query, publish, recorded, client, connect } = useReplica();

describe('coming back to the live feed', () => {
  it('gives what was missed first, in order, then what is new; no gap, no repeat', async () => {
    const reader = connect('ann:resume');
    await reader.subscribe({ project: 'resume' });
    await publish([deleted('resume', 'seen')]);
    await until(() => reader.events.length === 1);
    reader.socket.disconnect();
    const missed = Array.from({ length: 450 }, (_, n) => deleted('resume', `missed${n}`));
    await publish(missed.slice(0, 300));
    await until(async () => (await recorded('resume')) === 301);
    // Some come while the client catches up.
    const rest = publish(missed.slice(300));
    for (const after of [reader.cursors[0], reader.events[0]?.id]) {
      const again = connect('ann:resume');
      expect(await again.subscribe({ project: 'resume', after })).toMatchObject({ ok: true, complete: true });
      await rest;
      await until(() => again.events.length >= 450);
      await clock.sleep(200);
      const stored = await query<{ id: string }>(
        `select id from log where project = 'resume' order by position offset 1`,
      );
      expect(again.events.map(({ id }) => id)).toEqual(stored.rows.map(({ id }) => id));
    }
  });

  it('recovers by itself from a cut connection, while events go on', async () => {
    const reader = connect('ann:cut', url(), { reconnectionDelay: 50, reconnectionDelayMax: 50 });
    let cuts = 0;
    reader.socket.on('connect', () => {
      void reader.subscribe({
        project: 'cut',
        ...(reader.cursors.length > 0 ? { after: reader.cursors.at(-1) } : {}),
      });
    });
    await until(() => reader.socket.connected);
    await publish([deleted('cut', 'start')]);
    await until(() => reader.events.length === 1);
    for (let n = 0; n < 60; n += 1) {
      await publish([deleted('cut', `n${n}`)]);
      if (n % 15 === 7) {
        cuts += 1;
        reader.socket.io.engine.close();
      }
      await clock.sleep(10);
    }
    await until(() => reader.events.length >= 61);
    await clock.sleep(200);
    expect(cuts).toBe(4);
    const subjects = reader.events.map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(61);
    expect(subjects).toHaveLength(61);
  });

  it('does not repeat what another subscription of the connection has sent', async () => {
    const first = connect('root:*');
    await first.subscribe({ all: true });
    await publish([deleted('both', 'a')]);
    await until(() => first.events.some(({ project }) => project === 'both'));
    const from = first.cursors.at(-1);
    await publish([deleted('both', 'b')]);
    await until(() => first.events.filter(({ project }) => project === 'both').length === 2);
    await first.subscribe({ project: 'both', after: from });
    await publish([deleted('both', 'c')]);
    await until(() => first.events.filter(({ project }) => project === 'both').length >= 3);
    await clock.sleep(200);
    expect(first.events.filter(({ project }) => project === 'both')).toHaveLength(3);
  });

  it('tells when it cannot give all that was missed', async () => {
    const limited = await start({ SKYRUN_FEED_REPLAY: '10' });
    const witness = connect('ann:much', limited.url);
    await witness.subscribe({ project: 'much' });
    await publish(Array.from({ length: 30 }, (_, n) => deleted('much', `n${n}`)));
    await until(async () => (await recorded('much')) === 30);
    const { items } = await client('r:much').call(OPERATIONS.listProjectEvents, {
      params: { project: 'much' },
      query: { limit: 30 },
    });
    // The replica has told of all of them, so that what a reader gets below is what it missed.
    await until(() => witness.events.length === 30);
    const reader = connect('ann:much', limited.url);
    expect(await reader.subscribe({ project: 'much', after: items.at(-1)?.id })).toMatchObject({
      ok: true,
      complete: false,
    });
    expect(reader.events).toHaveLength(10);
    const lostPlace = connect('ann:much', limited.url);
    expect(await lostPlace.subscribe({ project: 'much', after: 'evt_unknown' })).toMatchObject({ complete: false });
    for (const { socket } of [witness, reader, lostPlace]) socket.disconnect();
    await limited.stop();
  });

  it('gives what another replica recorded a moment ago, before this one was told of it', async () => {
    const reader = connect('ann:ahead');
    await reader.subscribe({ project: 'ahead' });
    await publish([deleted('ahead', 'first')]);
    await until(() => reader.events.length === 1);
    // Without a notification: this replica would find it at its next look, up to a second later.
    await query(
      `insert into log (id, source, type, subject, project, time, event)
       select 'evt_elsewhere', source, type, subject, project, time, event || '{"id":"evt_elsewhere"}'
       from log where project = 'ahead'`,
    );
    const behind = connect('ann:ahead');
    expect(await behind.subscribe({ project: 'ahead', after: reader.cursors[0] })).toMatchObject({ complete: true });
    expect(behind.events.map(({ id }) => id)).toEqual(['evt_elsewhere']);
    const level = connect('ann:ahead');
    expect(await level.subscribe({ project: 'ahead', after: 'evt_elsewhere' })).toMatchObject({ complete: true });
    expect(level.events).toEqual([]);
  });

  it('does not tell a place in another project', async () => {
    await publish([deleted('theirs', 'x')]);
    await until(async () => (await recorded('theirs')) === 1);
    const { rows } = await query<{ id: string }>(`select id from log where project = 'theirs'`);
    const reader = connect('ann:ours');
    expect(await reader.subscribe({ project: 'ours', after: rows[0]?.id })).toMatchObject({ complete: false });
  });

  it('ends a client that reads too slowly with the reason, and it goes on from its cursor without loss', async () => {
    const strict = await start({ SKYRUN_FEED_BACKLOG: '500' });
    const slow = connect('ann:slow', strict.url, { reconnectionDelay: 100, reconnectionDelayMax: 100 });
    await slow.subscribe({ project: 'slow' });
    await publish([deleted('slow', 'first')]);
    await until(() => slow.events.length === 1);
    const stream = rawStream(slow.socket);
    let resumed = false;
    slow.socket.io.on('reconnect', () => {
      resumed = true;
      void slow.subscribe({ project: 'slow', after: slow.cursors.at(-1) });
    });
    // The client takes no more bytes; more is sent than both kernels hold.
    stream.pause();
    const total = 4_000;
    for (let sent = 0; sent < total; sent += 250) {
      await publish(Array.from({ length: 250 }, (_, n) => deleted('slow', `s${sent + n}`, clock.now(), 6_000)));
    }
    await until(async () => (await recorded('slow')) === total + 1, 60_000);
    await clock.sleep(500);
    stream.resume();
    await until(() => resumed, 30_000);
    await until(() => slow.events.length >= total + 1, 60_000);
    expect(slow.closing).toMatchObject([{ code: 'feed.too_slow' }]);
    expect(new Set(slow.events.map(({ id }) => id)).size).toBe(total + 1);
    expect(slow.events).toHaveLength(total + 1);
    slow.socket.disconnect();
    await strict.stop();
  }, 150_000);
});

/** The TCP stream below a client's connection. */
function rawStream(socket: Socket): { pause(): void; resume(): void } {
  const { transport } = socket.io.engine;
  if ('ws' in transport && typeof transport.ws === 'object' && transport.ws !== null && '_socket' in transport.ws) {
    return transport.ws._socket as { pause(): void; resume(): void };
  }
  throw new Error('the connection is no WebSocket of the ws package');
}
