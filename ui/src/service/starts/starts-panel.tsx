import { type InstanceStart, startTotalMs } from '@skyrun/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Timer } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { startSummaryQuery, startsQuery } from '../../api/queries.ts';
import { Ago } from '../../components/ago.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { millisText } from '../../format/quantity.ts';
import { shortId } from '../instance-tiles.tsx';
import { KIND_NAMES, PhaseBar, PhaseLegend, phasesText } from './phases.tsx';
import { StartPercentilesTable } from './start-percentiles-table.tsx';

function StartRow({ start, longestMs }: { start: InstanceStart; longestMs: number }) {
  const { phases, kind, instanceId, revisionName, at, traceId } = start;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[11rem_minmax(0,1fr)_4.5rem_6.5rem]">
      <div className="min-w-0">
        <p className="truncate text-[0.8125rem] font-medium">{KIND_NAMES[kind]}</p>
        <p className="truncate text-xs text-ink-3" title={`${revisionName} ${instanceId}`}>
          {revisionName} · <code className="font-mono">{shortId(instanceId)}</code>
        </p>
      </div>
      <div className="order-last col-span-2 min-w-0 sm:order-none sm:col-span-1">
        <PhaseBar phases={phases} longestMs={longestMs} />
        <p
          className="figures mt-1 text-xs text-ink-2"
          {...(traceId === undefined ? {} : { title: `Trace ${traceId}` })}
        >
          {phasesText(phases)}
        </p>
      </div>
      <p className="figures text-right font-semibold whitespace-nowrap">{millisText(startTotalMs(phases))}</p>
      <Ago time={at} className="hidden text-right text-xs whitespace-nowrap text-ink-3 sm:block" />
    </li>
  );
}

interface StartsPanelProps {
  readonly project: string;
  readonly service: string;
  /** Name of a revision; the whole service without. */
  readonly revision?: string;
}

/** How long instances took to take requests, and in what. */
export function StartsPanel({ project, service, revision }: StartsPanelProps) {
  const api = useApi();
  const list = useInfiniteQuery(startsQuery(api, project, service, revision));
  const { data: summary } = useQuery(startSummaryQuery(api, project, service, revision));
  const starts = list.data?.pages.flatMap((page) => page.items);
  const longestMs = Math.max(0, ...(starts ?? []).map(({ phases }) => startTotalMs(phases)));
  return (
    <Panel
      title="Starts"
      note="From the request that waited to its first byte; of those that nobody waited for, until it answered."
      actions={<PhaseLegend />}
      flush
    >
      <ListState
        list={list}
        items={starts}
        rows={3}
        empty={
          <EmptyState icon={Timer} title="No start in the last week">
            The next request to an idle service starts an instance; how long each part of that took is shown here.
          </EmptyState>
        }
      />
      {summary !== undefined && summary.kinds.length > 0 && <StartPercentilesTable kinds={summary.kinds} />}
      {starts !== undefined && starts.length > 0 && (
        <ul aria-label="Starts, newest first" className="divide-y divide-line">
          {starts.map((start) => (
            <StartRow key={`${start.instanceId} ${start.at}`} start={start} longestMs={longestMs} />
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older starts" />
    </Panel>
  );
}
