import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyEvent } from '@skyrun/contracts';
import { ManualClock, silentLogger, systemClock } from '@skyrun/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FIRST_WINDOW, usageWindow } from '../harness/usage-window.ts';
import { listSegments, PositionFile, segmentName } from './segments.ts';
import { Spool } from './spool.ts';
import { openSince } from './spool-line.ts';

const START = FIRST_WINDOW;
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skyrun-spool-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const usage = (second: number) => usageWindow({ second });

/** A bus that can fail before or after it took the events, as a process that dies would see it. */
class Bus {
  events: AnyEvent[] = [];
  mode: 'ok' | 'refuse' | 'take and fail' = 'ok';

  async publish(events: readonly AnyEvent[]): Promise<void> {
    if (this.mode === 'refuse') throw new Error('no broker');
    this.events.push(...events);
    if (this.mode === 'take and fail') throw new Error('killed after the confirm');
  }

  keys(): string[] {
    return this.events.flatMap((event) => (event.type === 'skyrun.usage.recorded.v1' ? [event.data.key] : []));
  }
}

function spool(bus: Bus, epoch: string, clock = new ManualClock(START)) {
  return new Spool({ gateway: 'g1', epoch, dataDir, bus, clock, logger: silentLogger });
}

async function drain(one: Spool) {
  while (await one.publisher.step());
}

test('what is written is published at once, with no timer', async () => {
  const bus = new Bus();
  // Its time stands still.
  const one = spool(bus, 'a');
  await one.start();
  for (let second = 0; second < 3; second += 1) {
    one.onWindow([usage(second)], START + second * 1000, false);
    await expect.poll(() => bus.keys().length).toBe(second + 1);
  }
  await one.stop();
  expect(bus.keys()).toHaveLength(3);
});

test('what was written is published once, in order, and the spool is emptied', async () => {
  const bus = new Bus();
  const one = spool(bus, 'a');
  for (let second = 0; second < 5; second += 1) one.onWindow([usage(second)], START + second * 1000, false);
  await one.writer.flush();
  await drain(one);
  await drain(one);
  expect(bus.keys()).toEqual(
    [0, 1, 2, 3, 4].map(
      (second) =>
        `g1/a.0/rev_01890000-0000-7000-8000-000000000001/ins_01890000-0000-7000-8000-000000000001/${START + second * 1000}`,
    ),
  );
  expect(new Set(bus.events.map((event) => event.sequence)).size).toBe(5);
});

test.each(['refuse', 'take and fail'] as const)(
  'killed while publishing (%s): the next run publishes all, under the same ids and keys',
  async (mode) => {
    const bus = new Bus();
    const first = spool(bus, 'a');
    first.onWindow([usage(0)], START + 1000, false);
    await first.writer.flush();
    await drain(first);
    first.onWindow([usage(1), usage(2)], START + 3000, false);
    await first.writer.flush();
    bus.mode = mode;
    await expect(drain(first)).rejects.toThrow();
    bus.mode = 'ok';
    const second = spool(bus, 'b', new ManualClock(START + 60_000));
    second.onWindow([usage(60)], START + 61_000, false);
    await second.writer.flush();
    await drain(second);
    const unique = new Map(bus.events.map((event) => [event.id, event]));
    expect(unique.size).toBe(4);
    expect(new Set(bus.keys()).size).toBe(4);
    expect((await listSegments(join(dataDir, 'spool'))).length).toBe(1);
  },
);

test('killed in the middle of a line: the torn line is left out, everything before and after is published', async () => {
  const bus = new Bus();
  const first = spool(bus, 'a');
  first.onWindow([usage(0)], START + 1000, true);
  await first.writer.flush();
  const [segment = ''] = await listSegments(join(dataDir, 'spool'));
  await appendFile(join(dataDir, 'spool', segment), '{"event":{"specver');
  const second = spool(bus, 'b', new ManualClock(START + 60_000));
  await second.start();
  second.onWindow([usage(60)], START + 61_000, false);
  await second.stop();
  expect(bus.keys()).toHaveLength(2);
  const lost = bus.events.filter((event) => event.type === 'skyrun.usage.lost.v1');
  expect(lost.map((event) => event.data)).toEqual([
    { gateway: 'g1', from: new Date(START + 1000).toISOString(), until: new Date(START + 2000).toISOString() },
  ]);
});

test('a clean stop and an idle one report nothing lost', async () => {
  const bus = new Bus();
  const first = spool(bus, 'a', new ManualClock(START));
  first.onActive(START + 100);
  first.onWindow([usage(0)], START + 1000, false);
  await first.writer.flush();
  const second = spool(bus, 'b', new ManualClock(START + 60_000));
  await second.start();
  await second.stop();
  const third = spool(bus, 'c', new ManualClock(START + 90_000));
  await third.start();
  await third.stop();
  expect(bus.events.map((event) => event.type)).toEqual(['skyrun.usage.recorded.v1']);
});

test('a position that points at a removed segment does not stop the rest', async () => {
  const bus = new Bus();
  await mkdir(join(dataDir, 'spool'));
  await new PositionFile(join(dataDir, 'spool')).save({ segment: segmentName(START - 1000, 1), offset: 10 });
  const one = spool(bus, 'a');
  one.onWindow([usage(0)], START + 1000, false);
  await one.writer.flush();
  await drain(one);
  expect(bus.keys()).toHaveLength(1);
});

test.each([
  ['nothing', [], null],
  ['active', [{ kind: 'active', at: 5 }], 5],
  [
    'active, then idle',
    [
      { kind: 'active', at: 5 },
      { kind: 'idle', at: 6 },
    ],
    null,
  ],
  [
    'idle, then active',
    [
      { kind: 'idle', at: 5 },
      { kind: 'active', at: 6 },
    ],
    6,
  ],
  [
    'active, then closed',
    [
      { kind: 'active', at: 5 },
      { kind: 'closed', at: 6 },
    ],
    null,
  ],
  ['active, then a torn line', [{ kind: 'active', at: 5 }, null], 5],
] as const)('%s is open since %s', (_, lines, expected) => {
  expect(openSince(lines)).toBe(expected);
});

test('a broker that comes back gets everything, in order', async () => {
  const bus = new Bus();
  bus.mode = 'refuse';
  const one = new Spool({ gateway: 'g1', epoch: 'a', dataDir, bus, clock: systemClock, logger: silentLogger });
  await one.start();
  for (let second = 0; second < 3; second += 1) one.onWindow([usage(second)], START + second * 1000, false);
  await new Promise((resolve) => setTimeout(resolve, 200));
  bus.mode = 'ok';
  await one.stop();
  expect(bus.keys().map((key) => Number(key.split('/').at(-1)))).toEqual([START, START + 1000, START + 2000]);
});
