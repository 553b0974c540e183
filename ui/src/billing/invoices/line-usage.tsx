import type { Invoice } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useApi } from '../../api/context.ts';
import { ListState } from '../../components/list-state.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { groupDigits } from '../../format/money.ts';
import { bytesText, millisText } from '../../format/quantity.ts';
import { clockText, dateText } from '../../format/time.ts';
import { lineUsageQuery } from '../queries.ts';

/** The usage rows that one line sums up, newest first, a page at a time. */
export function LineUsage({ invoice, index }: { invoice: Invoice; index: number }) {
  const list = useInfiniteQuery(lineUsageQuery(useApi(), invoice.project, invoice.id, index));
  const rows = list.data?.pages.flatMap((page) => page.items);
  const line = invoice.lines[index];
  if (rows === undefined) return <ListState list={list} items={rows} rows={3} rowClassName="h-10" />;
  return (
    <>
      <p className="px-4 pt-3 text-xs text-ink-3">
        {list.hasNextPage
          ? `The newest ${groupDigits(String(rows.length))} usage rows`
          : `${groupDigits(String(rows.length))} usage rows, all of them`}
        , as they were measured.
      </p>
      <Table
        label={`Usage of ${line?.service ?? ''}, ${line?.description ?? ''}, table`}
        className="min-w-176 text-[0.8125rem]"
      >
        <thead>
          <tr>
            <HeadCell>Window</HeadCell>
            <HeadCell>Of</HeadCell>
            <HeadCell>Revision</HeadCell>
            <HeadCell>Instance</HeadCell>
            <HeadCell className="text-right">Requests</HeadCell>
            <HeadCell className="text-right">Busy</HeadCell>
            <HeadCell className="text-right">vCPU</HeadCell>
            <HeadCell className="text-right">Memory</HeadCell>
            <HeadCell className="text-right">Sent</HeadCell>
          </tr>
        </thead>
        <tbody className="[&>tr:last-child>td]:border-0">
          {rows.map((row) => (
            <tr key={row.key} title={row.key}>
              <Cell className="figures py-1.5 whitespace-nowrap">
                {dateText(row.windowStart)} {clockText(row.windowStart)}
              </Cell>
              <Cell className="py-1.5 whitespace-nowrap">
                {row.kind === 'requests' ? 'requests' : (row.state ?? 'life time')}
              </Cell>
              <Cell className="py-1.5">{row.revisionName}</Cell>
              <Cell className="py-1.5 font-mono text-xs text-ink-2">
                {row.instanceId === '' ? '–' : `…${row.instanceId.slice(-12)}`}
              </Cell>
              <Cell className="figures py-1.5 text-right">{groupDigits(String(row.requests))}</Cell>
              <Cell className="figures py-1.5 text-right whitespace-nowrap">{millisText(row.busyMs)}</Cell>
              <Cell className="figures py-1.5 text-right">{row.cpuMilli / 1000}</Cell>
              <Cell className="figures py-1.5 text-right whitespace-nowrap">{row.memoryMib} MiB</Cell>
              <Cell className="figures py-1.5 text-right whitespace-nowrap">{bytesText(row.bytesOut)}</Cell>
            </tr>
          ))}
        </tbody>
      </Table>
      <MoreButton list={list} label="Older usage" />
    </>
  );
}
