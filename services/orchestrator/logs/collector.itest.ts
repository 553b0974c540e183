import { OPERATIONS } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMemoryRuntime, type MemoryRuntime } from '../runtime/memory/memory-runtime.ts';
import type { ProgramContext } from '../runtime/memory/program.ts';
import { acquireLease, LEASE_NAME } from '../store/lease.ts';
import { createLogStore, deleteExpiredLogs, type LogChunk } from '../store/log-store.ts';
import { desiredOf, TEST_IMAGE } from '../testing/desired.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { packLines } from './chunk.ts';

const service = { project: 'demo', service: 'web' };
let runtime: MemoryRuntime;
let databaseUrl: string;
let drop: () => Promise<void>;
/** The programs that run, so that a test can make them speak. */
let speakers: ProgramContext[];
const running: Harness[] = [];

beforeEach(async () => {
  speakers = [];
  const program = (context: ProgramContext) => {
    speakers.push(context);
    context.onTerm(() => {
      context.log('stderr', 'ERROR last words');
      context.exit(0);
    });
    context.listen();
  };
  runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, program]]) });
  const database = await testDatabase('logs');
  databaseUrl = database.url;
  drop = () => database.drop();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((harness) => harness.stop()));
  await drop();
});

async function start(registry?: Harness['registry']): Promise<Harness> {
  const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
  const harness = await startHarness({ databaseUrl, runtime, prober, ...(registry ? { registry } : {}) });
  running.push(harness);
  return harness;
}

async function search(harness: Harness, query: Record<string, string> = {}): Promise<string[]> {
  const texts: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await harness.client.call(OPERATIONS.searchLogs, {
      params: service,
      query: { limit: '500', ...query, ...(cursor ? { cursor } : {}) },
    });
    texts.push(...page.items.map(({ text }) => text));
    cursor = page.nextCursor;
  }
  return texts;
}

const isReady = (harness: Harness) => () =>
  harness.events.filter(({ type }) => type === 'skyrun.instance.ready.v1').length >= 1;

test('lines outlive the container and the orchestrator, each once, in order, and are found by what they say', async () => {
  const first = await start();
  const web = desiredOf({ template: { scaling: { minScale: 1 } } });
  const { registry } = first;
  registry.set(web);
  await first.until('ready', isReady(first));
  const [speaker] = speakers;
  const said = Array.from({ length: 3000 }, (_, number) => `INFO number ${number} ${'x'.repeat(100)}`);
  for (const text of said) speaker?.log('stdout', text);
  expect((await search(first)).toReversed()).toEqual(said);
  await first.stop();
  // Nobody leads now: the engine alone has what comes.
  speaker?.log('stdout', 'WARN meanwhile');
  const second = await start(registry);
  await second.until('stored', async () => (await second.db.query('SELECT 1 FROM log_positions')).rowCount === 1);
  registry.set({ ...web, want: 'retired' });
  await second.until('gone', async () => (await runtime.list()).length === 0);
  await second.stop();
  const third = await start(registry);
  expect((await search(third)).toReversed()).toEqual([...said, 'WARN meanwhile', 'ERROR last words']);
  expect(await search(third, { severity: 'warning' })).toEqual(['ERROR last words', 'WARN meanwhile']);
  expect(await search(third, { stream: 'stderr' })).toEqual(['ERROR last words']);
  expect(await search(third, { search: 'NUMBER 2999' })).toEqual([said[2999]]);
  expect(await search(third, { revision: 'web-00002' })).toEqual([]);
  const { rows } = await third.db.query('SELECT count(*)::int AS chunks, sum(bytes)::int AS bytes FROM log_chunks');
  const [stored] = rows;
  expect(stored).toMatchObject({ chunks: expect.any(Number) });
  expect(Number(stored?.['bytes'])).toBeLessThan(said.join('\n').length / 5);
});

test('a leader that was killed between two writes leaves no gap and nothing twice', async () => {
  const first = await start();
  first.registry.set(desiredOf({ template: { scaling: { minScale: 1 } } }));
  await first.until('ready', isReady(first));
  const [speaker] = speakers;
  speaker?.log('stdout', 'a'.repeat(70_000));
  await first.until('stored', async () => (await first.db.query('SELECT 1 FROM log_chunks')).rowCount === 1);
  speaker?.log('stdout', 'b');
  // As a kill does: the term ends without another word to the store.
  await first.db.query(`UPDATE leases SET holder = 'thief', term = term + 1, expires_at = now() + interval '1 second'`);
  speaker?.log('stdout', 'c');
  await systemClock.sleep(1_500);
  speaker?.log('stderr', 'd');
  await first.until('all', async () => (await search(first)).length === 4);
  await first.stop();
  const second = await start(first.registry);
  expect((await search(second)).map((text) => text[0])).toEqual(['d', 'c', 'b', 'a']);
});

test('a reader that follows sees what matches, as it is written', async () => {
  const harness = await start();
  harness.registry.set(desiredOf({ template: { scaling: { minScale: 1 } } }));
  await harness.until('ready', isReady(harness));
  const [speaker] = speakers;
  for (const text of ['ERROR one', 'fine', 'ERROR two']) speaker?.log('stdout', text);
  const found: string[] = [];
  const abort = new AbortController();
  const query = { follow: 'true', severity: 'error', tail: '1' } as const;
  const stream = harness.client.stream(OPERATIONS.followLogs, { params: service, query, signal: abort.signal });
  const reading = (async () => {
    for await (const { text, severity } of stream) found.push(`${severity} ${text}`);
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  await harness.until('the past', () => found.length === 1);
  for (const text of ['fine again', 'ERROR three']) speaker?.log('stderr', text);
  await harness.until('the present', () => found.length === 2);
  abort.abort();
  await reading;
  expect(found).toEqual(['error ERROR two', 'error ERROR three']);
});

test('what is too old goes, and of a service beyond its share the oldest', async () => {
  const own = createDatabase({ url: databaseUrl, schema: 'orchestrator', applicationName: 't', logger: silentLogger });
  await own.migrate(new URL('../migrations/', import.meta.url));
  const store = createLogStore(own);
  const term = (await acquireLease(own, { name: LEASE_NAME, holder: 'test', ttlMs: 60_000 })) ?? 0n;
  const now = systemClock.now();
  const chunk = async (name: string, ageMs: number): Promise<LogChunk> => ({
    project: 'demo',
    service: name,
    revisionName: `${name}-00001`,
    instanceId: 'ins_1',
    firstAt: now - ageMs,
    lastAt: now - ageMs,
    lines: 1,
    body: Buffer.concat([await packLines([]), Buffer.alloc(700)]),
    position: { stdout: '', stderr: '' },
  });
  const ages = [90_000, 40_000, 30_000, 20_000];
  for (const age of ages) await store.write(term, [await chunk('big', age)]);
  await store.write(term, [await chunk('small', 40_000)]);
  await deleteExpiredLogs(own, now, { maxAgeMs: 60_000, maxServiceBytes: 2_500 });
  const left = async (name: string) =>
    (await store.chunks({ project: 'demo', service: name }, 10)).map(({ lastAt }) => now - lastAt);
  expect(await left('big')).toEqual([20_000, 30_000]);
  expect(await left('small')).toEqual([40_000]);
  expect(await store.positions()).toEqual(new Map());
  await own.close();
});
