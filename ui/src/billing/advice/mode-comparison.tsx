import { type CostAnalysis, parseMoney } from '@skyrun/contracts';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { toCents } from '../../format/money.ts';

/** The same usage in either billing mode. */
export function ModeComparison({ modes, currency }: { modes: CostAnalysis['modes']; currency: string }) {
  return (
    <Panel
      title="Billing mode"
      note="This month’s usage in the mode it has and in the other one; the mode is set on the service’s settings."
      flush
    >
      {modes.length === 0 && (
        <p className="p-4 text-ink-2">
          Services are compared once the life times of their instances were measured; look again after some traffic.
        </p>
      )}
      <Table label="Billing mode, table" className={modes.length === 0 ? 'hidden' : undefined}>
        <thead>
          <tr>
            <HeadCell>Service</HeadCell>
            <HeadCell className="text-right">As it is</HeadCell>
            <HeadCell className="text-right">Would have cost</HeadCell>
            <HeadCell className="text-right">Saving</HeadCell>
            <HeadCell className="hidden sm:table-cell">Advice</HeadCell>
          </tr>
        </thead>
        <tbody className="[&>tr:last-child>td]:border-0">
          {modes.map(({ service, mode, amount, otherMode, otherAmount, saving }) => {
            const cheaper = parseMoney(saving) > 0n;
            const advice = cheaper ? `Change to ${otherMode}-based` : 'Keep it';
            return (
              <tr key={service}>
                <Cell className="font-medium">
                  {service}
                  <span className="block text-xs font-normal text-ink-2 sm:hidden">{advice}</span>
                </Cell>
                <Cell className="text-right">
                  <Money amount={toCents(amount)} currency={currency} />
                  <span className="hidden text-xs text-ink-3 sm:block">{mode}-based</span>
                </Cell>
                <Cell className="text-right">
                  <Money amount={toCents(otherAmount)} currency={currency} />
                  <span className="hidden text-xs text-ink-3 sm:block">{otherMode}-based</span>
                </Cell>
                <Cell className="text-right font-medium">
                  <Money amount={toCents(saving)} currency={currency} />
                </Cell>
                <Cell className="hidden sm:table-cell">
                  <Pill tone={cheaper ? 'warn' : 'ok'}>{advice}</Pill>
                </Cell>
              </tr>
            );
          })}
        </tbody>
      </Table>
    </Panel>
  );
}
