import type { EventData, NOTICE_TYPES } from '@skyrun/contracts';

type NoticeType = (typeof NOTICE_TYPES)[number];

/** An event that people are told of. */
export type NoticeEvent = {
  readonly [Type in NoticeType]: { readonly id: string; readonly type: Type; readonly data: EventData<Type> };
}[NoticeType];

export interface Letter {
  readonly subject: string;
  /** Plain text. */
  readonly body: string;
}

/** What is written to people about an event. */
export function letterOf(event: NoticeEvent): Letter {
  const { project } = event.data;
  switch (event.type) {
    case 'skyrun.budget.exceeded.v1': {
      const { name, percent, basis, amount, spent, forecast, currency, month } = event.data;
      const what = basis === 'actual' ? 'spent' : 'expected to be spent';
      return letter(project, `${percent} % of budget ${name} ${basis === 'actual' ? 'is spent' : 'is expected'}`, [
        `${percent} % of the budget "${name}" for ${month} is ${what}.`,
        '',
        `Budget:    ${amount} ${currency}`,
        `Spent:     ${cents(spent)} ${currency}`,
        `Expected:  ${cents(forecast)} ${currency} by the end of the month`,
      ]);
    }
    case 'skyrun.project.capped.v1':
      return letter(project, 'the services are paused by a hard cap', [
        `A hard cap is reached: ${event.data.reason}.`,
        'All services of the project are paused; callers get a page that says so.',
        '',
        'Raise the budget to run them again. The next month lifts the cap by itself.',
      ]);
    case 'skyrun.project.uncapped.v1':
      return letter(project, 'the services run again', [`The hard cap is lifted: ${event.data.reason}.`]);
    case 'skyrun.invoice.closed.v1': {
      const { number, total, currency, periodStart, periodEnd } = event.data;
      return letter(project, `invoice ${number} over ${total} ${currency}`, [
        `Invoice ${number} was made for the usage from ${periodStart} until ${periodEnd}.`,
        '',
        `Total:  ${total} ${currency}`,
        '',
        'Its lines, the usage behind them and the PDF are on the billing page.',
      ]);
    }
  }
}

export const testLetter = (project: string): Letter =>
  letter(project, 'a test', ['This is a test. Mails about budgets and invoices of this project arrive here.']);

function letter(project: string, about: string, lines: readonly string[]): Letter {
  return {
    subject: `[Skyrun] ${project}: ${about}`,
    body: [...lines, '', '--', `You get this as a billing contact of the project ${project} on Skyrun.`, ''].join('\n'),
  };
}

/** Amounts are unrounded; a mail needs no more than two places, cut. */
function cents(amount: string): string {
  const [whole = '0', fraction = ''] = amount.split('.');
  return `${whole}.${fraction.slice(0, 2).padEnd(2, '0')}`;
}
