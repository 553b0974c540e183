import { expect, test } from 'vitest';
import { age, bytes, createOutput, table } from './output.ts';

function recorded(isTTY: boolean, json = false) {
  const out: string[] = [];
  const err: string[] = [];
  const output = createOutput(
    { stdout: { write: (text: string) => out.push(text) }, stderr: { write: (text: string) => err.push(text), isTTY } },
    json,
  );
  return { output, out, err };
}

test('a person sees each step in one line, a log each thing once, a program nothing', () => {
  const steps = ['uploading a.tar: 1 of 3', 'uploading a.tar: 2 of 3', 'importing a.tar: 1 of 3'];
  const [person, log, program] = [recorded(true), recorded(false), recorded(false, true)];
  for (const { output } of [person, log, program]) for (const step of steps) output.progress(step);
  expect(person.err).toEqual(steps.map((step) => `\r\u001b[K${step}`));
  expect(log.err).toEqual(['uploading a.tar\n', 'importing a.tar\n']);
  expect(program.err).toEqual([]);
});

test('a result never stands on the line of the progress', () => {
  const { output, out, err } = recorded(true);
  output.progress('working');
  output.line('done');
  expect(err.at(-1)).toBe('\n');
  expect(out).toEqual(['done\n']);
});

test('columns are as wide as their widest cell', () => {
  expect(
    table(
      ['name', 'age'],
      [
        ['a', '1s'],
        ['longer', '2s'],
      ],
    ),
  ).toBe('NAME    AGE\na       1s\nlonger  2s');
});

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7199, '119m'],
  [7200, '2h'],
  [200_000, '2d'],
])('%d seconds ago is %s', (seconds, text) => {
  expect(age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1000)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [132_024_320, '125.9 MiB'],
])('%d bytes are %s', (count, text) => expect(bytes(count)).toBe(text));
