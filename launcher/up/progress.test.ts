import { expect, test } from 'vitest';
import { createProgress } from './progress.ts';

function capture(isTTY: boolean): { text(): string; stream: { write(text: string): void; isTTY: boolean } } {
  let written = '';
  return {
    text: () => written,
    stream: {
      isTTY,
      write: (text) => {
        written += text;
      },
    },
  };
}

test('without a terminal there are no control characters', async () => {
  const out = capture(false);
  await createProgress(out.stream).step('work', async () => 1);
  expect(out.text()).toMatch(/^ {2}✓ work {2}\d+\.\d s\n$/);
});

test('a failed step is marked, and its error goes on', async () => {
  const out = capture(true);
  const work = createProgress(out.stream).step('work', () => Promise.reject(new Error('no')));
  await expect(work).rejects.toThrow('no');
  expect(out.text()).toContain('✗ work');
});
