import { expect, test } from 'vitest';
import { letterOf, type NoticeEvent } from './notice.ts';

const cap = { project: 'shop', budgetId: 'bdg_1', reason: '5.00 USD are spent of the 5.00 of budget all' };
const invoice = {
  id: 'inv_1',
  number: 'SHOP-000001',
  project: 'shop',
  total: '104.20',
  currency: 'USD',
  periodStart: '2026-01-01T00:00:00.000Z',
  periodEnd: '2026-02-01T00:00:00.000Z',
};
const budget = {
  budgetId: 'bdg_1',
  name: 'all',
  project: 'shop',
  month: '2026-01',
  basis: 'forecast' as const,
  percent: 100,
  amount: '5.00',
  spent: '2.5',
  forecast: '6.019',
  currency: 'USD',
  at: '2026-01-15T12:00:00.000Z',
};

test.each<[NoticeEvent, subject: string, line: string]>([
  [
    { id: 'e', type: 'skyrun.budget.exceeded.v1', data: budget },
    '[Skyrun] shop: 100 % of budget all is expected',
    'Expected:  6.01 USD by the end of the month',
  ],
  [
    { id: 'e', type: 'skyrun.project.capped.v1', data: cap },
    '[Skyrun] shop: the services are paused by a hard cap',
    'Raise the budget to run them again. The next month lifts the cap by itself.',
  ],
  [
    { id: 'e', type: 'skyrun.project.uncapped.v1', data: cap },
    '[Skyrun] shop: the services run again',
    `The hard cap is lifted: ${cap.reason}.`,
  ],
  [
    { id: 'e', type: 'skyrun.invoice.closed.v1', data: invoice },
    '[Skyrun] shop: invoice SHOP-000001 over 104.20 USD',
    'Total:  104.20 USD',
  ],
])('%o is told of as such', (event, subject, line) => {
  const letter = letterOf(event);
  expect(letter.subject).toBe(subject);
  expect(letter.body.split('\n')).toContain(line);
});
