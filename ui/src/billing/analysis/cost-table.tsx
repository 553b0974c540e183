import type { CostAnalysis } from '@skyrun/contracts';
import { useState } from 'react';
import { Button } from '../../components/button.tsx';
import { Money } from '../../components/money.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { groupDigits, toCents } from '../../format/money.ts';
import { byAmount } from '../share.ts';
import { percentText } from './percent.ts';

const STEP = 50;

/** Parts with their cost; days in order, all else by what costs most. */
export function CostTable({ analysis }: { analysis: CostAnalysis }) {
  const { currency, groupBy } = analysis;
  const [shown, setShown] = useState(STEP);
  const groups = groupBy === 'day' ? analysis.groups : byAmount(analysis.groups);
  return (
    <>
      <Table label="Cost by part, table" className="min-w-160">
        <thead>
          <tr>
            <HeadCell>{groupBy === 'day' ? 'Day' : 'Service'}</HeadCell>
            {(groupBy === 'revision' || groupBy === 'instance') && (
              <HeadCell>{groupBy === 'revision' ? 'Revision' : 'Instance'}</HeadCell>
            )}
            <HeadCell className="text-right">Cost</HeadCell>
            <HeadCell className="text-right">Requests</HeadCell>
            <HeadCell className="text-right">Per 1,000 requests</HeadCell>
            <HeadCell className="text-right">Idle</HeadCell>
          </tr>
        </thead>
        <tbody className="[&>tr:last-child>td]:border-0">
          {groups.slice(0, shown).map(({ key, service, amount, requests, per1000Requests, idleAmount, idleShare }) => (
            <tr key={key}>
              <Cell className="font-medium">{service ?? key}</Cell>
              {(groupBy === 'revision' || groupBy === 'instance') && (
                <Cell className="font-mono text-xs text-ink-2">{key.slice((service ?? '').length + 1)}</Cell>
              )}
              <Cell className="text-right font-medium">
                <Money amount={amount} currency={currency} />
              </Cell>
              <Cell className="figures text-right">{groupDigits(requests)}</Cell>
              <Cell className="text-right">
                {per1000Requests === null ? '–' : <Money amount={per1000Requests} currency={currency} />}
              </Cell>
              <Cell className="text-right whitespace-nowrap">
                <Money amount={toCents(idleAmount)} currency={currency} />
                <span className="figures ml-2 inline-block w-12 text-xs text-ink-3">{percentText(idleShare)}</span>
              </Cell>
            </tr>
          ))}
        </tbody>
      </Table>
      {groups.length > shown && (
        <div className="flex justify-center border-t border-line p-3">
          <Button size="sm" onClick={() => setShown(shown + STEP)}>
            {groups.length - shown} more
          </Button>
        </div>
      )}
    </>
  );
}
