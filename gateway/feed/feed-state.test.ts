import { frameParts, type RouteFrame } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { route, target } from '../harness/gateway.ts';
import { type FeedPosition, FrameParts, follow } from './feed-state.ts';

const at = (epoch: string, version: number): FeedPosition => ({ epoch, version });
const delta = (epoch: string, version: number): RouteFrame => ({
  kind: 'delta',
  epoch,
  version,
  upserts: [],
  removes: ['x'],
});
const beat = (epoch: string, version: number): RouteFrame => ({ kind: 'heartbeat', epoch, version });
const snapshot = (epoch: string, version: number): RouteFrame => ({ kind: 'snapshot', epoch, version, routes: [] });

test.each([
  ['a snapshot from nothing', null, snapshot('a', 3), at('a', 3), 'replace'],
  ['a snapshot of another epoch', at('a', 9), snapshot('b', 1), at('b', 1), 'replace'],
  ['the next delta', at('a', 3), delta('a', 4), at('a', 4), 'change'],
  ['a delta over several versions', at('a', 3), delta('a', 9), at('a', 9), 'change'],
  ['a delta that is known', at('a', 3), delta('a', 3), at('a', 3), 'none'],
  ['an old delta', at('a', 3), delta('a', 2), at('a', 3), 'none'],
  ['a delta of another epoch', at('a', 3), delta('b', 4), null, 'resync'],
  ['a delta from nothing', null, delta('a', 4), null, 'resync'],
  ['a heartbeat', at('a', 3), beat('a', 3), at('a', 3), 'none'],
  ['a heartbeat that is ahead', at('a', 3), beat('a', 4), null, 'resync'],
  ['a heartbeat of another epoch', at('a', 3), beat('b', 3), null, 'resync'],
] as const)('%s', (_, position, frame, next, kind) => {
  const step = follow(position, frame);
  expect(step.position).toEqual(next);
  expect(step.change.kind).toBe(kind);
});

test('a frame in parts is the frame, and one that is not ended is nothing', () => {
  const routes = Array.from({ length: 250 }, (_, index) => route([target([1])], `service-${index}.demo.localhost`));
  for (const whole of [
    { ...snapshot('a', 3), routes } as RouteFrame,
    { kind: 'delta', epoch: 'a', version: 4, upserts: routes, removes: ['x', 'y'] } as RouteFrame,
    delta('a', 5),
    beat('a', 5),
  ]) {
    const parts = [...frameParts(whole)];
    const collected = new FrameParts();
    expect(parts.slice(0, -1).map((part) => collected.take(part))).toEqual(parts.slice(0, -1).map(() => null));
    const last = parts.at(-1);
    expect(last === undefined ? null : collected.take(last)).toEqual(whole);
  }
  expect([...frameParts({ ...snapshot('a', 3), routes } as RouteFrame)]).toHaveLength(3);
});
