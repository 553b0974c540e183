import type { CostAnalysis } from '@skyrun/contracts';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { toCents } from '../../format/money.ts';
import { percentText } from '../analysis/percent.ts';

/** Services from this share of idle cost on are named. */
const WORTH_NAMING = 0.2;

/** What is paid for time without a request. */
export function IdleCost({ analysis: { groups, modes, currency, total } }: { analysis: CostAnalysis }) {
  const timed = new Set(modes.filter(({ mode }) => mode === 'instance').map(({ service }) => service));
  const idle = groups.filter(({ idleShare }) => (idleShare ?? 0) >= WORTH_NAMING);
  return (
    <Panel
      title="Idle time"
      note="Minimum instances, paused ones, and instances that are billed while they wait; this month."
    >
      {idle.length === 0 ? (
        <p className="text-ink-2">
          No service pays much for waiting: {percentText(total.idleShare)} of the cost is for idle time.
        </p>
      ) : (
        <ul className="flex flex-col gap-2">
          {idle.map(({ key, idleAmount, idleShare }) => (
            <li
              key={key}
              className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 sm:grid-cols-[minmax(6rem,12rem)_minmax(0,1fr)_auto]"
            >
              <span className="truncate font-medium">{key}</span>
              <span className="order-last col-span-2 text-ink-2 sm:order-none sm:col-span-1">
                {percentText(idleShare)} of its cost is for time without a request.{' '}
                {timed.has(key) ? 'Request-based billing' : 'Fewer minimum instances, or a shorter time in pause,'}{' '}
                would save up to that.
              </span>
              <Money amount={toCents(idleAmount)} currency={currency} className="font-medium" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
