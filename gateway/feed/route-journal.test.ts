import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { route, target } from '../harness/gateway.ts';
import { atLine, downLine, JournalReader, upLine } from './journal-line.ts';
import { createRouteJournal, type JournalFile } from './route-journal.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-journal-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

interface Step {
  readonly upserts: readonly Route[];
  readonly removes: readonly string[];
}

const host = fc.integer({ min: 0, max: 5 }).map((index) => `service-${index}.demo.localhost`);
const some = fc.tuple(host, fc.integer({ min: 1, max: 9 })).map(([name, port]) => route([target([port])], name));
const step: fc.Arbitrary<Step> = fc.record({
  upserts: fc.uniqueArray(some, { maxLength: 3, selector: (each) => each.host }),
  removes: fc.uniqueArray(host, { maxLength: 2 }),
});

function apply(routes: Map<string, Route>, { upserts, removes }: Step): void {
  for (const each of upserts) routes.set(each.host, each);
  for (const each of removes) routes.delete(each);
}

const byHost = (routes: Iterable<Route>) => Object.fromEntries(Array.from(routes, (each) => [each.host, each]));

test('wherever a crash cuts a journal, it says what was true after some change, and all before the cut', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (steps, cut) => {
        const truth: { end: number; routes: Record<string, Route> }[] = [];
        const routes = new Map<string, Route>();
        let text = '';
        for (const [index, each] of steps.entries()) {
          text += each.upserts.map(upLine).join('') + each.removes.map(downLine).join('');
          text += atLine({ epoch: 'test', version: index + 1 });
          apply(routes, each);
          truth.push({ end: text.length, routes: byHost(routes.values()) });
        }
        const kept = text.slice(0, Math.round(text.length * cut));
        const reader = new JournalReader();
        for (const line of kept.split('\n').filter((each) => each !== '')) reader.take(line);
        const read = reader.end();
        // A last line without its line feed is whole all the same.
        const whole = truth.filter(({ end }) => end - 1 <= kept.length);
        expect(read.position).toEqual(whole.length === 0 ? null : { epoch: 'test', version: whole.length });
        expect(byHost(read.routes.values())).toEqual(whole.at(-1)?.routes ?? {});
      },
    ),
  );
});

test('from damage on nothing is believed', () => {
  const reader = new JournalReader();
  const good = upLine(route([target([1])], 'good.demo.localhost')) + atLine({ epoch: 'test', version: 1 });
  for (const line of `${good}{"up":{}}\n${downLine('good.demo.localhost')}${atLine({ epoch: 'test', version: 2 })}`.split(
    '\n',
  )) {
    if (line !== '') reader.take(line);
  }
  expect(reader.end()).toMatchObject({ position: { version: 1 }, dropped: 3 });
  expect([...reader.end().routes.keys()]).toEqual(['good.demo.localhost']);
});

test('a route on disk that a gateway of another version wrote takes no other with it', () => {
  const [good, other] = [route([target([1])], 'good.demo.localhost'), route([target([1])], 'other.demo.localhost')];
  const reader = new JournalReader();
  const lines = [good, { ...other, targets: [{ ...target([1]), protocol: 'http3' }] }].map((up) =>
    JSON.stringify({ up }),
  );
  for (const line of [...lines, atLine({ epoch: 'test', version: 1 }).trim()]) reader.take(line);
  const read = reader.end();
  expect(read).toMatchObject({ position: { version: 1 }, dropped: 0 });
  expect([...read.routes.keys()]).toEqual([good.host]);
  expect(read.invalid).toMatchObject([{ host: other.host, field: 'targets.0.protocol' }]);
  reader.take(upLine(other).trim());
  reader.take(atLine({ epoch: 'test', version: 2 }).trim());
  expect(reader.end()).toMatchObject({ invalid: [], position: { version: 2 } });
});

/** A table and its journal, as the feed keeps them. */
function openJournal(path: string, routes = new Map<string, Route>(), create?: (path: string) => Promise<JournalFile>) {
  const journal = createRouteJournal({
    path,
    routes: () => routes.values(),
    clock: systemClock,
    logger: silentLogger,
    ...(create === undefined ? {} : { create }),
  });
  let version = 0;
  return {
    journal,
    routes,
    change(change: Step) {
      version += 1;
      const entered = journal.change({ epoch: 'test', version }, change.upserts, change.removes);
      apply(routes, change);
      entered();
    },
    replace(all: readonly Route[]) {
      version += 1;
      routes.clear();
      for (const each of all) routes.set(each.host, each);
      journal.replace({ epoch: 'test', version });
    },
    version: () => version,
  };
}

test('what was changed and replaced is read by the next start, in any order of both', async () => {
  const path = join(directory, 'routes.journal');
  const act = fc.oneof(
    step.map((change) => ({ change })),
    fc.uniqueArray(some, { maxLength: 4, selector: (each) => each.host }).map((all) => ({ all })),
    fc.constant({ wait: true as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 12 }), async (acts) => {
      await rm(path, { force: true });
      const open = openJournal(path);
      open.journal.start();
      for (const each of acts) {
        if ('change' in each) open.change(each.change);
        else if ('all' in each) open.replace(each.all);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      await open.journal.stop();
      const read = await openJournal(path).journal.read();
      if (open.version() === 0) expect(read).toBeNull();
      else {
        expect(read?.position).toEqual({ epoch: 'test', version: open.version() });
        expect(byHost(read?.routes.values() ?? [])).toEqual(byHost(open.routes.values()));
      }
    }),
    { numRuns: 40 },
  );
});

test('changes are appended, and a journal of many is written anew', async () => {
  const path = join(directory, 'routes.journal');
  const all = Array.from({ length: 200 }, (_, index) => route([target([1])], `service-${index}.demo.localhost`));
  const open = openJournal(path);
  open.replace(all);
  open.journal.start();
  await expect.poll(async () => (await textOf(path)).split('\n').length, { timeout: 20_000 }).toBe(all.length + 2);
  const before = await textOf(path);
  const one = route([target([2])], 'service-7.demo.localhost');
  open.change({ upserts: [one], removes: [] });
  await expect
    .poll(() => textOf(path), { timeout: 20_000 })
    .toBe(before + upLine(one) + atLine({ epoch: 'test', version: 2 }));
  for (let index = 0; index < 5000; index += 1) open.change({ upserts: [one], removes: [] });
  await expect.poll(async () => (await textOf(path)).split('\n').length, { timeout: 20_000 }).toBe(all.length + 2);
  await open.journal.stop();
  expect((await openJournal(path).journal.read())?.position?.version).toBe(open.version());
});

test('a torn end is dropped, and what comes after it is whole again', async () => {
  const path = join(directory, 'routes.journal');
  const first = openJournal(path);
  first.replace([route([target([1])], 'one.demo.localhost')]);
  first.journal.start();
  await first.journal.stop();
  await writeFile(path, (await textOf(path)) + upLine(route([target([1])], 'torn.demo.localhost')).slice(0, 40));

  const second = openJournal(path);
  const read = await second.journal.read();
  expect([...(read?.routes.keys() ?? [])]).toEqual(['one.demo.localhost']);
  apply(second.routes, { upserts: [...(read?.routes.values() ?? [])], removes: [] });
  second.journal.start();
  second.change({ upserts: [route([target([1])], 'two.demo.localhost')], removes: [] });
  await second.journal.stop();
  const third = await openJournal(path).journal.read();
  expect([...(third?.routes.keys() ?? [])]).toEqual(['one.demo.localhost', 'two.demo.localhost']);
  expect(third?.dropped).toBe(0);
});

test('after a write that failed half-way the journal is written anew, and says all that came', async () => {
  const path = join(directory, 'routes.journal');
  let full = false;
  const opened = openJournal(path, new Map(), async (at) => {
    const file = await open(at, 'w');
    return {
      async appendFile(text) {
        if (!full) return file.appendFile(text);
        full = false;
        await file.appendFile(String(text).slice(0, 20));
        throw new Error('no space left on device');
      },
      datasync: () => file.datasync(),
      close: () => file.close(),
    };
  });
  const [one, two, three] = ['one', 'two', 'three'].map((name) => route([target([1])], `${name}.demo.localhost`));
  if (one === undefined || two === undefined || three === undefined) throw new Error('the test is wrong');
  opened.replace([one]);
  opened.journal.start();
  await expect.poll(() => textOf(path), { timeout: 20_000 }).toBe(upLine(one) + atLine({ epoch: 'test', version: 1 }));
  full = true;
  opened.change({ upserts: [two], removes: [] });
  await expect.poll(() => full, { timeout: 20_000 }).toBe(false);
  opened.change({ upserts: [three], removes: [] });
  await opened.journal.stop();
  const read = await openJournal(path).journal.read();
  expect(read).toMatchObject({ position: { version: 3 }, dropped: 0 });
  expect([...(read?.routes.keys() ?? [])]).toEqual([one.host, two.host, three.host]);
});

test('routes that a snapshot overtakes while they are written never stand on disk under its position', async () => {
  const path = join(directory, 'routes.journal');
  const [before, after] = [route([target([1])], 'before.demo.localhost'), route([target([2])], 'after.demo.localhost')];
  let passes = 0;
  let onDisk = '';
  const journal = createRouteJournal({
    path,
    clock: systemClock,
    logger: silentLogger,
    *routes() {
      passes += 1;
      if (passes === 1) {
        yield before;
        journal.replace({ epoch: 'test', version: 2 });
        return;
      }
      // What a crash would leave now.
      onDisk += existsSync(path) ? readFileSync(path, 'utf8') : '';
      yield after;
    },
  });
  journal.replace({ epoch: 'test', version: 1 });
  journal.start();
  await expect
    .poll(() => textOf(path), { timeout: 20_000 })
    .toBe(upLine(after) + atLine({ epoch: 'test', version: 2 }));
  await journal.stop();
  expect(passes).toBeGreaterThanOrEqual(2);
  expect(onDisk).not.toContain('before.demo.localhost');
});

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
