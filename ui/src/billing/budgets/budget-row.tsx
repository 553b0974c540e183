import type { Budget } from '@skyrun/contracts';
import { Button } from '../../components/button.tsx';
import { classNames } from '../../components/class-names.ts';
import { Money } from '../../components/money.tsx';
import { Pill } from '../../components/pill.tsx';
import { toCents } from '../../format/money.ts';
import { shareOf } from '../share.ts';
import { budgetState } from './budget-state.ts';

interface BudgetRowProps {
  readonly budget: Budget;
  /** Null for those who may only look. */
  readonly onEdit: (() => void) | null;
  readonly onDelete: (() => void) | null;
}

const BAR = { ok: 'bg-ok', warn: 'bg-warn', bad: 'bg-bad' } as const;

export function BudgetRow({ budget, onEdit, onDelete }: BudgetRowProps) {
  const { name, amount, currency, forecast, thresholds, hardCap, capReached } = budget;
  const { tone, text } = budgetState(budget);
  const at = (part: string) => `${shareOf(part, amount) * 100}%`;
  return (
    <li className="flex flex-col gap-2.5 border-b border-line px-4 py-4 last:border-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h3 className="font-semibold">{name}</h3>
        <Pill tone={tone}>{text}</Pill>
        {hardCap && <Pill tone={capReached ? 'bad' : 'muted'}>{capReached ? 'Services are paused' : 'Hard cap'}</Pill>}
        {onEdit !== null && (
          <span className="ml-auto flex gap-2">
            <Button size="sm" onClick={onEdit} aria-label={`Edit ${name}`}>
              Edit
            </Button>
            <Button size="sm" onClick={onDelete ?? undefined} aria-label={`Delete ${name}`}>
              Delete
            </Button>
          </span>
        )}
      </div>
      <p className="flex flex-wrap items-baseline gap-x-1.5">
        <Money amount={toCents(forecast.spent)} currency={currency} className="text-lg font-semibold tracking-tight" />
        <span className="text-ink-2">
          of <Money amount={amount} currency={currency} /> spent,
        </span>
        <span className="text-ink-2">
          <Money amount={toCents(forecast.expected)} currency={currency} /> expected by the end of the month
        </span>
      </p>
      <div aria-hidden className="relative h-2.5 rounded-full bg-sunken">
        <div
          className={classNames('absolute inset-y-0 left-0 rounded-full opacity-25', BAR[tone])}
          style={{ width: at(forecast.expected) }}
        />
        <div
          className={classNames('absolute inset-y-0 left-0 rounded-full', BAR[tone])}
          style={{ width: at(forecast.spent) }}
        />
        {thresholds
          .filter(({ percent }) => percent < 100)
          .map(({ percent, basis }) => (
            <div
              key={`${percent} ${basis}`}
              className="absolute -inset-y-0.5 w-0.5 -translate-x-1/2 bg-line-strong"
              style={{ left: `${percent}%` }}
            />
          ))}
      </div>
      <p className="text-[0.8125rem] text-ink-3">
        {thresholds.length === 0
          ? 'No alerts.'
          : `Alerts at ${thresholds.map(({ percent, basis }) => `${percent} % ${basis === 'actual' ? 'spent' : 'expected'}`).join(', ')}.`}
        {capReached &&
          ' Callers get a page that says so. Raise the budget to run the services again; the next month lifts it by itself.'}
      </p>
    </li>
  );
}
