import type { PublicPriceList } from '@skyrun/contracts';
import type { ReactNode } from 'react';
import { Panel } from '../../components/panel.tsx';
import { dateTimeText } from '../../format/time.ts';
import { priceRows } from './price-rows.ts';

/** One version of a price list, all of it. */
export function PriceTable({ list, actions }: { list: PublicPriceList; actions?: ReactNode }) {
  const groups = Map.groupBy(priceRows(list), ({ group }) => group);
  return (
    <Panel
      title={list.title}
      note={`${list.id} · ${list.currency} · from ${dateTimeText(list.effectiveFrom)}`}
      actions={actions}
      flush
    >
      {[...groups].map(([group, rows]) => (
        <section key={group} aria-label={group} className="border-b border-line px-4 py-3 last:border-0">
          <h3 className="text-[0.8125rem] font-medium text-ink-3">{group}</h3>
          <dl className="mt-1">
            {rows.map(({ name, value }) => (
              <div key={name} className="flex flex-wrap items-baseline justify-between gap-x-6 py-1">
                <dt>{name}</dt>
                <dd className="figures text-right font-medium">{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Panel>
  );
}
