import type { Decision } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { ArrowDown, ArrowRight, ArrowUp, Gauge } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { decisionsQuery } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { classNames } from '../components/class-names.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { ListState } from '../components/list-state.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Panel } from '../components/panel.tsx';
import { figure } from '../format/quantity.ts';
import { useProjectName, useServiceName } from '../shell/place.ts';

function lookOf({ from, to }: Decision) {
  if (to > from) return { icon: ArrowUp, style: 'bg-ok-soft text-ok-ink', says: 'out' };
  if (to < from) return { icon: ArrowDown, style: 'bg-warn-soft text-warn-ink', says: 'in' };
  return { icon: ArrowRight, style: 'bg-sunken text-ink-2', says: 'stays' };
}

/** The sentence begins with the numbers that stand before it already. */
const reasonOf = ({ from, to, sentence }: Decision): string => {
  const head = `${from} → ${to}: `;
  return sentence.startsWith(head) ? sentence.slice(head.length) : sentence;
};

const inputText = (value: Decision['inputs'][string]): string =>
  typeof value === 'number' ? figure(value) : value === null ? '–' : String(value);

/** What each metric asked for; the highest won. */
function Wants({ wants }: { wants: NonNullable<Decision['wants']> }) {
  return (
    <ul aria-label="What each metric wanted" className="mt-2 flex flex-wrap gap-2 text-[0.8125rem]">
      {wants.map(({ metric, value, target, want, note }) => (
        <li key={metric} className="rounded-lg bg-sunken px-3 py-1.5" title={note}>
          <span className="text-ink-3">{metric}</span>{' '}
          <span className="figures font-medium">
            {value === null ? '–' : figure(value)} of {figure(target)}
          </span>{' '}
          <span className="text-ink-2">wants</span> <span className="figures font-semibold">{want ?? '–'}</span>
        </li>
      ))}
    </ul>
  );
}

function DecisionRow({ decision }: { decision: Decision }) {
  const { icon: Icon, style, says } = lookOf(decision);
  return (
    <li className="relative pb-4 pl-12 before:absolute before:top-8 before:bottom-0 before:left-4 before:w-px before:bg-line last:pb-0 last:before:hidden">
      <span
        aria-hidden
        className={classNames('absolute top-0 left-0 flex size-8 items-center justify-center rounded-full', style)}
      >
        <Icon className="size-4" />
      </span>
      <details>
        <summary className="flex flex-wrap items-baseline gap-x-3 rounded-md pt-1">
          <span className="figures font-semibold whitespace-nowrap">
            <span className="sr-only">Scale {says}: </span>
            {decision.from} → {decision.to}
          </span>
          <span className="min-w-0 flex-1 basis-64 text-ink-2">{reasonOf(decision)}</span>
          <Ago time={decision.at} className="text-[0.8125rem] text-ink-3" />
        </summary>
        {decision.wants !== undefined && decision.wants.length > 0 && <Wants wants={decision.wants} />}
        <dl className="mt-2 grid grid-cols-[repeat(auto-fill,minmax(11rem,1fr))] gap-x-6 gap-y-1 rounded-lg bg-sunken p-3 text-[0.8125rem]">
          <div className="flex justify-between gap-2">
            <dt className="text-ink-3">revision</dt>
            <dd className="truncate font-medium">{decision.revisionName}</dd>
          </div>
          {Object.entries(decision.inputs).map(([name, value]) => (
            <div key={name} className="flex justify-between gap-2">
              <dt className="truncate text-ink-3">{name}</dt>
              <dd className="figures font-medium">{inputText(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

export function DecisionsTab() {
  const project = useProjectName();
  const name = useServiceName();
  const list = useInfiniteQuery(decisionsQuery(useApi(), project, name));
  const decisions = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Scaling decisions" note="Why the number of instances changed, with every input." flush>
      <ListState
        list={list}
        items={decisions}
        rows={4}
        empty={
          <EmptyState
            icon={Gauge}
            title="Nothing decided yet"
            command={`./skyrun load ${name} --project ${project} --rate 20 --duration 30s`}
          >
            Send it some traffic and watch the autoscaler think.
          </EmptyState>
        }
      />
      {decisions !== undefined && decisions.length > 0 && (
        <ol aria-label="Scaling decisions, newest first" className="p-4">
          {decisions.map((decision) => (
            <DecisionRow key={`${decision.at} ${decision.revisionId}`} decision={decision} />
          ))}
        </ol>
      )}
      <MoreButton list={list} label="Older decisions" />
    </Panel>
  );
}
