import { useInfiniteQuery } from '@tanstack/react-query';
import { BellRing } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { Ago } from '../../components/ago.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Money } from '../../components/money.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { toCents } from '../../format/money.ts';
import { budgetAlertsQuery } from '../queries.ts';

/** Thresholds that were crossed. */
export function AlertList({ project }: { project: string }) {
  const list = useInfiniteQuery(budgetAlertsQuery(useApi(), project));
  const alerts = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Alerts" note="Each threshold tells you once a month." flush>
      <ListState
        list={list}
        items={alerts}
        rows={2}
        empty={
          <EmptyState icon={BellRing} title="No alert yet">
            A budget’s thresholds appear here when they are crossed.
          </EmptyState>
        }
      />
      {alerts !== undefined && alerts.length > 0 && (
        <ul aria-label="Alerts">
          {alerts.map(({ budgetId, name, month, basis, percent, amount, spent, forecast, currency, at }) => (
            <li
              key={`${budgetId} ${month} ${basis} ${percent} ${amount}`}
              className="flex flex-wrap items-baseline gap-x-4 gap-y-1 border-b border-line px-4 py-3 last:border-0"
            >
              <p className="min-w-0 flex-1">
                <span className="font-medium">
                  {percent} % of {name} {basis === 'actual' ? 'spent' : 'expected'}
                </span>
                <span className="text-ink-3"> in {month}</span>
              </p>
              <p className="text-ink-2">
                <Money amount={toCents(basis === 'actual' ? spent : forecast)} currency={currency} /> of{' '}
                <Money amount={amount} currency={currency} />
              </p>
              <span className="w-24 text-right text-[0.8125rem] text-ink-3">
                <Ago time={at} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older alerts" />
    </Panel>
  );
}
