import type { LogLine } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { EVERYTHING_LIVE, filterLines, isNarrowed, type LogView, toQuery } from './log-filter.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const view = (fields: Partial<LogView>): LogView => ({ ...EVERYTHING_LIVE, ...fields });
const line = (text: string, fields: Partial<LogLine> = {}): LogLine => ({
  at: new Date(NOW).toISOString(),
  instanceId: 'ins_1',
  revisionName: 'hello-00001',
  stream: 'stdout',
  text,
  ...fields,
});

test.each<[Partial<LogView>, string[]]>([
  [{}, ['GET /', 'Boom', 'careful']],
  [{ text: ' boo' }, ['Boom']],
  [{ stream: 'stdout' }, ['GET /', 'careful']],
  [{ text: 'boom', stream: 'stdout' }, []],
  [{ severity: 'warning' }, ['careful']],
  [{ severity: 'error' }, []],
  [{ revision: 'hello-00002' }, ['careful']],
  [{ instance: 'ins_2' }, ['careful']],
])('%j leaves %j', (fields, texts) => {
  const lines = [
    line('GET /'),
    line('Boom', { stream: 'stderr' }),
    line('careful', { severity: 'warning', revisionName: 'hello-00002', instanceId: 'ins_2' }),
  ];
  expect(filterLines(lines, view(fields)).map(({ text }) => text)).toEqual(texts);
});

test('the question says only what narrows', () => {
  expect(toQuery(view({ range: '1h' }), NOW)).toEqual({ since: '2026-03-01T11:00:00.000Z' });
  expect(toQuery(view({ range: 'between', from: '', to: 'nonsense', text: ' x ' }), NOW)).toEqual({ search: 'x' });
  const from = toQuery(view({ range: 'between', from: '2026-02-28T10:00' }), NOW).since ?? '';
  expect(new Date(from).getHours()).toBe(10);
});

test('a time alone does not narrow', () => {
  expect(isNarrowed(view({ range: '7d' }))).toBe(false);
  expect(isNarrowed(view({ severity: 'error' }))).toBe(true);
});
