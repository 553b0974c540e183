import type { LedgerAccount, LedgerEntry, LedgerReport } from '@skyrun/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { BookOpenCheck, ShieldCheck, TriangleAlert } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { Ago } from '../../components/ago.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Money } from '../../components/money.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { useProjectName } from '../../shell/place.ts';
import { ledgerEntriesQuery, ledgerQuery } from '../queries.ts';

const MEANS: Readonly<Record<LedgerAccount, string>> = {
  unbilled: 'used, not invoiced yet',
  receivable: 'invoiced, not paid yet',
  cash: 'paid',
  revenue: 'earned, before taxes',
  tax: 'owed to the state',
  refundable: 'owed back',
};

const KINDS: Readonly<Record<LedgerEntry['kind'], { tone: Tone; says: string }>> = {
  accrued: { tone: 'muted', says: 'Used' },
  taxed: { tone: 'muted', says: 'Taxed' },
  invoiced: { tone: 'accent', says: 'Invoiced' },
  paid: { tone: 'ok', says: 'Paid' },
  credited: { tone: 'warn', says: 'Credited' },
  voided: { tone: 'warn', says: 'Void' },
  untaxed: { tone: 'warn', says: 'Tax taken back' },
};

export function LedgerTab() {
  const project = useProjectName();
  const { data, error, refetch } = useQuery(ledgerQuery(useApi(), project));
  return (
    <>
      {data === undefined && error !== null && <ProblemNotice error={error} onRetry={refetch} />}
      {data === undefined && error === null && <Skeleton className="h-48 rounded-xl" />}
      {data !== undefined && (
        <>
          <Verdict report={data} />
          <Panel title="Accounts" note="Debits − credits; together they are zero.">
            <dl className="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-6">
              {data.balances.map(({ account, balance }) => (
                <div key={account}>
                  <dt>
                    <span className="font-medium capitalize">{account}</span>
                    <span className="block text-xs text-ink-3">{MEANS[account]}</span>
                  </dt>
                  <dd className="mt-1 text-lg font-semibold tracking-tight">
                    <Money amount={balance} currency={data.currency} />
                  </dd>
                </div>
              ))}
            </dl>
          </Panel>
          <Entries project={project} currency={data.currency} />
        </>
      )}
    </>
  );
}

function Verdict({ report }: { report: LedgerReport }) {
  const { balanced, differences, checkedAt, currency } = report;
  if (balanced) {
    return (
      <p role="status" className="flex items-center gap-3 rounded-xl bg-ok-soft p-4 text-ok-ink">
        <ShieldCheck aria-hidden className="size-4 shrink-0" />
        <span>
          The ledger agrees with every invoice and credit note. Checked <Ago time={checkedAt} />, and every five minutes
          by a job.
        </span>
      </p>
    );
  }
  return (
    <div role="alert" className="flex gap-3 rounded-xl bg-bad-soft p-4 text-bad-ink">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div>
        <p className="font-semibold">The ledger and the documents disagree.</p>
        <ul className="mt-1 list-disc pl-4">
          {differences.map(({ what, ledger, documents }) => (
            <li key={what}>
              {what}: the ledger says <Money amount={ledger} currency={currency} />, the documents{' '}
              <Money amount={documents} currency={currency} />
            </li>
          ))}
        </ul>
        <p className="mt-1">Tell an operator: nothing was changed by this check.</p>
      </div>
    </div>
  );
}

function Entries({ project, currency }: { project: string; currency: string }) {
  const list = useInfiniteQuery(ledgerEntriesQuery(useApi(), project));
  const entries = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Entries" note="Written once, never changed; newest first." flush>
      <ListState
        list={list}
        items={entries}
        rows={3}
        rowClassName="h-11"
        empty={
          <EmptyState icon={BookOpenCheck} title="No entry yet">
            The first one comes a few minutes after the first usage.
          </EmptyState>
        }
      />
      {entries !== undefined && entries.length > 0 && (
        <Table label="Entries, table" className="sm:min-w-160">
          <thead>
            <tr>
              <HeadCell className="hidden sm:table-cell">Number</HeadCell>
              <HeadCell>When</HeadCell>
              <HeadCell>What</HeadCell>
              <HeadCell className="hidden sm:table-cell">Debit</HeadCell>
              <HeadCell className="hidden sm:table-cell">Credit</HeadCell>
              <HeadCell className="text-right">Amount</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-0">
            {entries.map(({ seq, kind, document, debit, credit, amount, at }) => (
              <tr key={seq}>
                <Cell className="figures hidden text-ink-3 sm:table-cell">{seq}</Cell>
                <Cell className="figures whitespace-nowrap" title={dateTimeText(at)}>
                  <span className="sm:hidden">{shortTimeText(at)}</span>
                  <span className="hidden sm:inline">{dateTimeText(at)}</span>
                </Cell>
                <Cell title={document ?? undefined}>
                  <Pill tone={KINDS[kind].tone}>{KINDS[kind].says}</Pill>
                  <span className="mt-1 block text-xs text-ink-3 sm:hidden">
                    {debit} ← {credit}
                  </span>
                </Cell>
                <Cell className="hidden sm:table-cell">{debit}</Cell>
                <Cell className="hidden sm:table-cell">{credit}</Cell>
                <Cell className="text-right font-medium">
                  <Money amount={amount} currency={currency} />
                </Cell>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <MoreButton list={list} label="Older entries" />
    </Panel>
  );
}
