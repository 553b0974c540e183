import { ManualClock, silentLogger } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { createLooks } from './looks.ts';

function watched() {
  const clock = new ManualClock();
  const asked: (string | null)[] = [];
  const open: { readonly id: string | null; answer(): void; fail(): void }[] = [];
  const looks = createLooks({
    look(id) {
      asked.push(id);
      return new Promise<void>((resolve, reject) => {
        open.push({ id, answer: resolve, fail: () => reject(new Error('away')) });
      });
    },
    clock,
    logger: silentLogger,
    signal: new AbortController().signal,
    background: () => undefined,
  });
  async function settle(id: string | null, how: 'answer' | 'fail'): Promise<void> {
    const index = open.findIndex((each) => each.id === id);
    open.splice(index, 1)[0]?.[how]();
    await clock.advance(0);
  }
  return { asked, clock, looks, settle };
}

test('one of which the engine says nothing holds up no other', async () => {
  const { asked, looks, settle } = watched();
  looks.news('hangs');
  looks.news('other');
  looks.news(null);
  expect(asked).toEqual(['hangs', 'other', null]);
  await settle('other', 'answer');
  looks.news('other');
  expect(asked).toEqual(['hangs', 'other', null, 'other']);
});

test('news of one that is being looked at makes one more look, however much news there is', async () => {
  const { asked, looks, settle } = watched();
  for (const id of ['one', 'one', 'one']) looks.news(id);
  expect(asked).toEqual(['one']);
  await settle('one', 'answer');
  expect(asked).toEqual(['one', 'one']);
  await settle('one', 'answer');
  expect(asked).toEqual(['one', 'one']);
});

test('a look at all that is older than news of one does not have the last word', async () => {
  const { asked, looks, settle } = watched();
  const all = looks.atAll();
  looks.news('one');
  await settle('one', 'answer');
  await settle(null, 'answer');
  await all;
  expect(asked).toEqual([null, 'one', 'one']);
});

test('all are asked for until the engine answers, one instance twice', async () => {
  const { asked, clock, looks, settle } = watched();
  looks.news(null);
  looks.news('one');
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await settle(null, 'fail');
    await settle('one', 'fail');
    await clock.advance(500);
  }
  expect(asked.filter((id) => id === null)).toHaveLength(6);
  expect(asked.filter((id) => id === 'one')).toHaveLength(2);
});
