import { isoTime } from '@skyrun/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogStore, StoredChunk } from '../store/log-store.ts';
import { packLines, unpackLines } from './chunk.ts';
import { type InstanceLine, placeOf } from './match.ts';
import { isLogCursor, searchLogs } from './search.ts';

const START = 1_700_000_000_000;
const position = (at: number, number: number) => isoTime(at).replace('Z', `${String(number).padStart(6, '0')}Z`);

function lineOf(at: number, number: number, fields: Partial<InstanceLine> = {}): InstanceLine {
  const own = { instanceId: 'ins_a', revisionName: 'web-00001', stream: 'stdout' as const, text: `line ${number}` };
  return { at, position: position(at, number), ...own, ...fields };
}

async function storeOf(chunks: readonly (readonly InstanceLine[])[]): Promise<Pick<LogStore, 'chunks'>> {
  const stored: (StoredChunk & { firstAt: number })[] = [];
  for (const [index, lines] of chunks.entries()) {
    const [first] = lines;
    if (!first) continue;
    const times = lines.map(({ at }) => at);
    const { instanceId, revisionName } = first;
    const [firstAt, lastAt] = [Math.min(...times), Math.max(...times)];
    stored.push({ id: String(index), instanceId, revisionName, firstAt, lastAt, body: await packLines(lines) });
  }
  const ordered = stored.toSorted((a, b) => b.lastAt - a.lastAt || Number(b.id) - Number(a.id));
  return {
    chunks: async ({ since = 0, until = Number.POSITIVE_INFINITY }, limit, after) =>
      ordered
        .slice(after ? ordered.findIndex(({ id }) => id === after.id) + 1 : 0)
        .filter(({ firstAt, lastAt }) => lastAt >= since && firstAt <= until)
        .slice(0, limit),
  };
}

const nothing: Omit<LogStore, 'chunks'> = { write: async () => undefined, positions: async () => new Map() };
const service = { project: 'demo', service: 'web' };

async function allPages(chunks: readonly (readonly InstanceLine[])[], unsaved: InstanceLine[], limit: number) {
  const logs = { ...nothing, ...(await storeOf(chunks)) };
  const found: InstanceLine[] = [];
  for (let before: string | null | undefined; before !== null; ) {
    const page = await searchLogs({ logs }, { ...service, limit, ...(before ? { before } : {}) }, unsaved);
    expect(page.lines.length).toBeLessThanOrEqual(limit);
    found.push(...page.lines);
    before = page.next;
  }
  return found;
}

test('lines packed are lines unpacked', async () => {
  const lines = [lineOf(START, 1), lineOf(START + 1, 2, { stream: 'stderr', text: 'ünï \u0000 {"a":1}' })];
  const bare = lines.map(({ at, position: place, stream, text }) => ({ at, position: place, stream, text }));
  expect(await unpackLines(await packLines(lines))).toEqual(bare);
});

test('however lines lie in chunks, pages give each once, newest first', async () => {
  const chunk = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 24 }), fc.integer({ min: 1, max: 7 }), async (spans, limit) => {
      let number = 0;
      const chunks = spans.map((steps, index) => {
        let at = START + (index % 5) * 7;
        return steps.map((step) => {
          at += step;
          number += 1;
          return lineOf(at, number, { instanceId: `ins_${index % 3}` });
        });
      });
      // The newest chunk was stored between the look at the engine and the look at the store: it is there twice.
      const found = await allPages(chunks, chunks.at(-1) ?? [], limit);
      const places = chunks.flat().map(placeOf).toSorted().toReversed();
      expect(found.map(placeOf)).toEqual(places);
    }),
    { numRuns: 60 },
  );
});

test.each([
  [{ search: 'BOOM' }, ['boom 3']],
  [{ stream: 'stderr' as const }, ['boom 3']],
  [{ severity: 'warning' as const }, ['ERROR 4', 'WARN 2']],
  [{ instance: 'b' }, ['ERROR 4']],
  [{ revision: 'web-00002' }, []],
  [{ since: isoTime(START + 3) }, ['ERROR 4', 'boom 3']],
  [{ until: isoTime(START + 2) }, ['plain 1']],
])('the filter %j leaves %j', async (filter, texts) => {
  const lines = [
    lineOf(START + 1, 1, { text: 'plain 1' }),
    lineOf(START + 2, 2, { text: 'WARN 2' }),
    lineOf(START + 3, 3, { text: 'boom 3', stream: 'stderr' }),
  ];
  const other = [lineOf(START + 4, 4, { text: 'ERROR 4', instanceId: 'ins_b' })];
  const logs = { ...nothing, ...(await storeOf([lines, other])) };
  const { lines: found } = await searchLogs({ logs }, { ...service, limit: 10, ...filter }, []);
  expect(found.map(({ text }) => text)).toEqual(texts);
});

test('a cursor is one of ours or refused', () => {
  const cursor = Buffer.from(placeOf(lineOf(START, 1))).toString('base64url');
  expect(isLogCursor(cursor)).toBe(true);
  expect(isLogCursor('nonsense')).toBe(false);
  expect(isLogCursor('')).toBe(false);
});
