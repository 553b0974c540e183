import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from './agenda.ts';

test('news is taken once, at once', () => {
  const agenda = new Agenda();
  agenda.mark('a');
  agenda.mark('a');
  expect([...agenda.take(0)]).toEqual(['a']);
  expect([...agenda.take(0)]).toEqual([]);
});

test('an appointment that was moved or cancelled does not come up at its old time', () => {
  const agenda = new Agenda();
  agenda.at('moved', 10);
  agenda.at('moved', 20);
  agenda.at('sooner', 30);
  agenda.at('sooner', 5);
  agenda.at('cancelled', 10);
  agenda.at('cancelled', null);
  agenda.at('gone', 10);
  agenda.forget('gone');
  expect([...agenda.take(10)]).toEqual(['sooner']);
  expect([...agenda.take(20)]).toEqual(['moved']);
  expect([...agenda.take(100)]).toEqual([]);
});

test('says what a list of all would say', () => {
  const id = fc.integer({ min: 0, max: 8 }).map(String);
  const command = fc.oneof(
    fc.record({ kind: fc.constant('at' as const), id, at: fc.option(fc.integer({ min: 0, max: 50 })) }),
    fc.record({ kind: fc.constant('mark' as const), id }),
    fc.record({ kind: fc.constant('take' as const), now: fc.integer({ min: 0, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const agenda = new Agenda();
      const due = new Map<string, number>();
      for (const each of commands) {
        if (each.kind === 'mark') {
          agenda.mark(each.id);
          due.set(`news ${each.id}`, Number.NEGATIVE_INFINITY);
        } else if (each.kind === 'at') {
          agenda.at(each.id, each.at);
          if (each.at === null) due.delete(each.id);
          else due.set(each.id, each.at);
        } else {
          const expected = new Set<string>();
          for (const [key, at] of due) {
            if (at > each.now) continue;
            due.delete(key);
            expected.add(key.replace('news ', ''));
          }
          expect([...agenda.take(each.now)].toSorted()).toEqual([...expected].toSorted());
        }
      }
    }),
  );
});
