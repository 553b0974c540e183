import type { LogLine } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { LogBuffer, MAX_LINES, plainText } from './log-buffer.ts';

const line = (text: string, stream: LogLine['stream'] = 'stdout', second = 0): LogLine => ({
  at: new Date(second * 1000).toISOString(),
  instanceId: 'ins_1',
  revisionName: 'hello-00001',
  stream,
  text,
});

test('a stream that begins again repeats nothing, and a line printed twice stays twice', () => {
  const buffer = new LogBuffer();
  buffer.push([line('a'), line('b'), line('b')]);
  buffer.resume();
  buffer.push([line('a'), line('b'), line('b'), line('b'), line('c')]);
  expect(buffer.lines.map(({ text }) => text)).toEqual(['a', 'b', 'b', 'b', 'c']);
  expect(new Set(buffer.lines.map(({ number }) => number)).size).toBe(5);
});

test('only the newest lines are kept', () => {
  const buffer = new LogBuffer();
  buffer.push(Array.from({ length: MAX_LINES + 10 }, (_, index) => line(String(index))));
  expect(buffer.lines).toHaveLength(MAX_LINES);
  expect(buffer.lines[0]?.text).toBe('10');
});

test('colours of a terminal are taken out', () => {
  expect(plainText('\u001b[32mok\u001b[0m [1m]')).toBe('ok [1m]');
});
