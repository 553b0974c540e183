import { expect, test } from 'vitest';
import { HeadMemory } from './head-memory.ts';
import { HeadReader } from './head-reader.ts';
import { RESPONSE_LIMITS } from './limits.ts';
import { wordsOf } from './words.ts';

/** As long as no whole number of words, and longer than what is compared byte by byte. */
const HEAD = `HTTP/1.1 200 OK\r\nServer: ${'s'.repeat(90)}\r\nContent-Length: 13\r\n\r\n`;

interface Meaning {
  readonly text: string;
}

function reader(memory: HeadMemory<Meaning>, onRead: () => void = () => undefined): HeadReader<Meaning> {
  return new HeadReader({
    limits: RESPONSE_LIMITS,
    memory,
    skipEmptyLine: false,
    firstLineFault: () => null,
    read: ({ text }, start, end) => {
      onRead();
      return { text: text.slice(start, end) };
    },
  });
}

/** Each way in which a head lies in what was read. */
const WAYS = [
  { name: 'alone in its chunk', before: 0, after: '', words: false },
  { name: 'before a body', before: 0, after: 'hello', words: false },
  { name: 'behind another message', before: 6, after: '', words: false },
  { name: 'in words', before: 2048, after: 'hello', words: true },
  { name: 'in words, at no whole one', before: 2049, after: 'hello', words: true },
];

test.each(WAYS)('a head $name is recognised, and one that differs in any byte is read', ({ before, after, words }) => {
  const push = (heads: HeadReader<Meaning>, head: string) => {
    const content = `${' '.repeat(before)}${head}${after}`;
    const chunk = Buffer.allocUnsafeSlow(content.length);
    chunk.write(content, 'latin1');
    expect(heads.push(chunk, before, chunk.length, words ? wordsOf(chunk) : null)).toBe('complete');
    expect(heads.bodyStart).toBe(before + head.length);
    return heads.meaning?.text;
  };
  for (let index = 0; index < HEAD.length; index += 1) {
    if (HEAD[index] === '\r' || HEAD[index] === '\n') continue;
    let read = 0;
    const heads = reader(new HeadMemory(), () => {
      read += 1;
    });
    expect(push(heads, HEAD)).toBe(HEAD);
    expect(push(heads, HEAD)).toBe(HEAD);
    expect(read).toBe(1);
    const other = `${HEAD.slice(0, index)}~${HEAD.slice(index + 1)}`;
    expect(push(heads, other)).toBe(other);
  }
});

test('a head that is recognised goes no further than what was read', () => {
  const heads = reader(new HeadMemory());
  const chunk = Buffer.from(HEAD, 'latin1');
  expect(heads.push(chunk, 0, chunk.length)).toBe('complete');
  expect(heads.push(chunk, 0, chunk.length - 1)).toBe('more');
});
