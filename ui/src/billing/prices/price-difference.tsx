import type { PublicPriceList } from '@skyrun/contracts';
import { Panel } from '../../components/panel.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { priceChanges, priceRows } from './price-rows.ts';

interface PriceDifferenceProps {
  readonly current: PublicPriceList;
  readonly other: PublicPriceList;
}

/** What another version says differently from the one in force. */
export function PriceDifference({ current, other }: PriceDifferenceProps) {
  const changes = priceChanges(priceRows(current), priceRows(other));
  return (
    <Panel title="Different from the version in force" flush>
      {changes.length === 0 ? (
        <p className="p-4 text-ink-2">Every price is the same.</p>
      ) : (
        <Table label="Differences, table" className="min-w-120">
          <thead>
            <tr>
              <HeadCell>What</HeadCell>
              <HeadCell className="text-right">In force</HeadCell>
              <HeadCell className="text-right">This version</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-0">
            {changes.map(({ group, name, before, after }) => (
              <tr key={`${group} ${name}`}>
                <Cell>
                  <span className="font-medium">{name}</span>
                  <span className="block text-xs text-ink-3">{group}</span>
                </Cell>
                <Cell className="figures text-right text-ink-2">{before ?? 'not there'}</Cell>
                <Cell className="figures text-right font-medium">{after ?? 'not there'}</Cell>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
