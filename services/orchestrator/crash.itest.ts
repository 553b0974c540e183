import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase, withinLoad } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DesiredRevision } from './reconcile/records.ts';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { desiredOf, TEST_IMAGE, templateOf } from './testing/desired.ts';
import { type CrashPoint, createLives, type Lives } from './testing/lives.ts';

/** Runs at once; each mostly waits. */
const LANES = 8;
const CONVERGES_WITHIN_MS = 10_000;

interface Lane {
  readonly db: Database;
  drop(): Promise<void>;
}

let lanes: Lane[];

beforeAll(async () => {
  lanes = await Promise.all(
    Array.from({ length: LANES }, async () => {
      const { url, drop } = await testDatabase('crash');
      const options = { url, schema: 'orchestrator', applicationName: 'crash', poolSize: 4, logger: silentLogger };
      const db = createDatabase(options);
      await db.migrate(new URL('./migrations/', import.meta.url));
      return { db, drop: () => db.close().then(drop) };
    }),
  );
});
afterAll(() => Promise.all(lanes.map(({ drop }) => drop())));

function version(number: number, minScale: number, want: DesiredRevision['want'] = 'serving'): DesiredRevision {
  return desiredOf({
    number,
    want,
    template: { terminationGraceSeconds: 1, scaling: { minScale, maxScale: minScale } },
  });
}

/** What the engine runs and what the store says, as one text. */
async function state(db: Database, engine: MemoryRuntime): Promise<string> {
  const { rows } = await db.query(
    `SELECT id || ' ' || state || ' ' || revision_id AS text FROM instances WHERE ended_at IS NULL ORDER BY id`,
  );
  const found = await engine.list();
  const runs = found.map(({ identity, state: is }) => `${identity.instanceId} ${is} ${identity.revisionId}`).toSorted();
  return JSON.stringify({ rows: rows.map(({ text }) => text), runs });
}

/** A life with every kind of step in it: deploy, replace, an end by itself, a lost row, a container that nobody wants. */
async function live(db: Database, crash: CrashPoint | null): Promise<Lives> {
  await db.query('TRUNCATE leases, instances, revisions, decisions, outbox');
  const engine = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  const lives = createLives(db, engine, crash);

  async function converges(on: DesiredRevision, count: number): Promise<string[]> {
    const end = systemClock.monotonic() + withinLoad(CONVERGES_WITHIN_MS);
    for (;;) {
      const found = await engine.list();
      const ids = found.map(({ identity }) => identity.instanceId).toSorted();
      const runs = ids.map((id) => `${id} running ${on.revision.id}`);
      const rows = ids.map((id) => `${id} ready ${on.revision.id}`);
      const now = await state(db, engine);
      if (found.length === count && now === JSON.stringify({ rows, runs })) return ids;
      if (systemClock.monotonic() > end) throw new Error(`${JSON.stringify(crash)}: not converged: ${now}`);
      await systemClock.sleep(20);
    }
  }

  try {
    await lives.begin();
    const [first, second] = [version(1, 2), version(2, 1)];
    lives.desire(first);
    await converges(first, 2);
    lives.desire({ ...first, want: 'retired' }, second);
    const [ended = ''] = await converges(second, 1);
    engine.kill(ended, 3);
    const [lost = ''] = await waitForOther(() => converges(second, 1), ended);
    lives.die();
    await db.query('DELETE FROM instances WHERE id = $1', [lost]);
    const [found] = await engine.list(lost);
    if (!found) throw new Error('it runs');
    const stray = { ...found.identity, instanceId: newId('instance', systemClock), revisionId: 'rev_gone' };
    await engine.start({ ...stray, image: TEST_IMAGE, env: [] });
    await lives.begin();
    expect(await converges(second, 1)).toEqual([lost]);
    // Two of the first, one of the second, its replacement, and the stray: nothing was started beyond what was needed.
    expect(engine.starts()).toBe(5);
    return lives;
  } finally {
    await lives.end();
  }
}

async function waitForOther(look: () => Promise<string[]>, than: string): Promise<string[]> {
  for (;;) {
    const ids = await look();
    if (!ids.includes(than)) return ids;
    await systemClock.sleep(20);
  }
}

test('a leader that dies before or after any of its effects leaves no orphan and no duplicate', async () => {
  const [lane] = lanes;
  if (!lane) throw new Error('there are lanes');
  const whole = await live(lane.db, null);
  for (const kind of ['create', 'drain', 'stop', 'end', 'adopt', 'discard']) expect(whole.steps).toContain(kind);
  const kinds = new Set(whole.effects);
  const points = [...kinds].flatMap((effect) => [
    { effect, side: 'before' as const },
    { effect, side: 'after' as const },
  ]);
  expect(points.length).toBeGreaterThanOrEqual(16);
  const steps = new Set<string>();
  const run = async ({ db }: Lane) => {
    for (let point = points.pop(); point; point = points.pop()) {
      for (const kind of (await live(db, point)).steps) steps.add(kind);
    }
  };
  await Promise.all(lanes.map(run));
  // What only a crash brings about: a row without a container, and a container that nobody has asked yet.
  expect([...steps].toSorted()).toEqual(['adopt', 'create', 'discard', 'drain', 'end', 'probe', 'start', 'stop']);
}, 240_000);

/** What the ladder does to one instance: at rest in each of its rungs, up again from each, and away at last. */
const RUNGS: readonly { readonly minScale: number; readonly state: string | null }[] = [
  { minScale: 1, state: 'ready running' },
  { minScale: 0, state: 'paused frozen' },
  { minScale: 1, state: 'ready running' },
  { minScale: 0, state: 'parked exited' },
  { minScale: 1, state: 'ready running' },
  { minScale: 0, state: null },
];

/** Goes down and up the ladder; after a crash, only to the rung that it was on its way to. */
async function climb(db: Database, crash: CrashPoint | null): Promise<Lives> {
  await db.query('TRUNCATE leases, instances, revisions, decisions, outbox, starts');
  const engine = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  const lives = createLives(db, engine, crash);
  const template = { terminationGraceSeconds: 1 };
  const { revision } = desiredOf({ template });
  // Each rung is left by asking for an instance, and entered by asking for none; nothing waits for a window to empty.
  const on = (minScale: number, stoppedSeconds: number): DesiredRevision => {
    const idle = { pausedSeconds: stoppedSeconds === 0 ? 600 : 1, stoppedSeconds };
    const scaling = { minScale, maxScale: 1, stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1, idle };
    return { want: 'serving', revision: { ...revision, template: templateOf({ ...template, scaling }) } };
  };
  const seen = async () => {
    const { rows } = await db.query(`SELECT id, state FROM instances WHERE ended_at IS NULL`);
    const found = await engine.list();
    const containers = new Map(
      found.map(({ identity, state: is, paused }) => [identity.instanceId, paused ? 'frozen' : is]),
    );
    return {
      containers: found.length,
      text: rows.map(({ id, state: is }) => `${String(is)} ${containers.get(String(id)) ?? 'gone'}`).join(),
    };
  };
  try {
    await lives.begin();
    for (const [index, { minScale, state: wanted }] of RUNGS.entries()) {
      lives.desire(on(minScale, index < 2 ? 0 : wanted === null ? 1 : 600));
      const end = systemClock.monotonic() + withinLoad(2 * CONVERGES_WITHIN_MS);
      // What was stopped and not written down as kept is taken for what is over: a start from nothing is always possible.
      const there = (text: string) =>
        text === (wanted ?? '') || (lives.crashed() && wanted === 'parked exited' && text === '');
      for (let now = await seen(); !there(now.text); now = await seen()) {
        if (systemClock.monotonic() > end) throw new Error(`${JSON.stringify(crash)}: ${now.text}, not ${wanted}`);
        await systemClock.sleep(20);
      }
      if (lives.crashed()) break;
    }
    const { containers, text } = await seen();
    expect(containers).toBeLessThanOrEqual(text === '' ? 1 : text.split(',').length);
    // An instance that was put down on purpose has not failed, whoever finds it.
    const { rows } = await db.query(`SELECT reason FROM instances WHERE state = 'failed'`);
    expect({ crash, failed: rows }).toEqual({ crash, failed: [] });
    return lives;
  } finally {
    await lives.end();
  }
}

test('a leader that dies on any rung of the idle ladder leaves an instance that the next one takes up or down', async () => {
  const [lane] = lanes;
  if (!lane) throw new Error('there are lanes');
  const whole = await climb(lane.db, null);
  for (const kind of ['pause', 'freeze', 'resume', 'park', 'wake', 'stop']) expect(whole.steps).toContain(kind);
  const ladder = /runtime\.(pause|resume|restart|stop $)|instance\.(paused|resumed|parked)|^store update$/;
  const effects = [...new Set(whole.effects)].filter((effect) => ladder.test(effect));
  expect(effects.length).toBeGreaterThanOrEqual(8);
  const points = effects.flatMap((effect) => [
    { effect, side: 'before' as const },
    { effect, side: 'after' as const },
  ]);
  const run = async ({ db }: Lane) => {
    for (let point = points.pop(); point; point = points.pop()) await climb(db, point);
  };
  await Promise.all(lanes.map(run));
}, 240_000);
