import { FEED_HEARTBEAT_MS, type Route, type RouteFrame } from '@skyrun/contracts';
import { ManualClock } from '@skyrun/kit';
import { describe, expect, it } from 'vitest';
import { createChangeSignal, followRoutes } from './follow-routes.ts';
import { createRouteLog } from './route-log.ts';

const route = (host: string): Route => ({
  host,
  project: 'demo',
  service: 'hello',
  serviceId: 'svc_0190a000-0000-7000-8000-000000000001',
  targets: [],
});

function feed(logLength = 100) {
  const clock = new ManualClock();
  const log = createRouteLog('epoch', logLength);
  const changes = createChangeSignal(clock);
  const gone = new AbortController();
  let stalls = 0;
  const follow = (position: { epoch: string; version: number } | null = null) =>
    followRoutes({ log, changes, clock, position, signal: gone.signal, onStall: () => (stalls += 1), stallMs: 1000 });
  const change = (...hosts: string[]) => {
    if (log.replace(hosts.map(route))) changes.raise();
  };
  return { clock, log, follow, change, gone, stalls: () => stalls };
}

const frameOf = async (frames: AsyncGenerator<RouteFrame>) => (await frames.next()).value;

describe('followRoutes', () => {
  it('gives a snapshot, then a delta for each change, and a heartbeat in silence', async () => {
    const { clock, follow, change } = feed();
    const frames = follow();
    expect(await frameOf(frames)).toMatchObject({ kind: 'snapshot', version: 0 });
    const next = frameOf(frames);
    change('a');
    expect(await next).toMatchObject({ kind: 'delta', version: 1, upserts: [{ host: 'a' }] });
    const silent = frameOf(frames);
    await clock.advance(FEED_HEARTBEAT_MS);
    expect(await silent).toEqual({ kind: 'heartbeat', epoch: 'epoch', version: 1 });
  });

  it('gives a reader that was slow everything in one frame', async () => {
    const { follow, change } = feed();
    const frames = follow();
    await frameOf(frames);
    change('a');
    change('a', 'b');
    change('b');
    expect(await frameOf(frames)).toMatchObject({
      kind: 'delta',
      version: 3,
      upserts: [{ host: 'b' }],
      removes: ['a'],
    });
  });

  it('goes on where a reader left, with an empty delta where nothing changed', async () => {
    const { follow, change } = feed();
    change('a');
    expect(await frameOf(follow({ epoch: 'epoch', version: 1 }))).toEqual({
      kind: 'delta',
      epoch: 'epoch',
      version: 1,
      upserts: [],
      removes: [],
    });
    expect(await frameOf(follow({ epoch: 'older', version: 1 }))).toMatchObject({
      kind: 'snapshot',
      routes: [{ host: 'a' }],
    });
  });

  it('ends for a reader that fell out of the log, rather than send a second snapshot', async () => {
    const { follow, change } = feed(2);
    const frames = follow();
    await frameOf(frames);
    for (const host of ['a', 'b', 'c', 'd']) change(host);
    expect(await frames.next()).toEqual({ done: true, value: undefined });
  });

  it('cuts off a reader that takes nothing', async () => {
    const { clock, follow, stalls } = feed();
    const frames = follow();
    await frameOf(frames);
    await clock.advance(999);
    expect(stalls()).toBe(0);
    await clock.advance(1);
    expect(stalls()).toBe(1);
  });

  it('ends when the reader goes away while nothing happens', async () => {
    const { follow, gone } = feed();
    const frames = follow();
    await frameOf(frames);
    const next = frames.next();
    gone.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
