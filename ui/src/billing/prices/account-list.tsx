import type { AccountPriceList } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi, useUser } from '../../api/context.ts';
import { Button } from '../../components/button.tsx';
import { useNow } from '../../components/now.ts';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { dateTimeText } from '../../format/time.ts';
import { useProjectName } from '../../shell/place.ts';
import { accountPriceListQuery } from '../queries.ts';
import { ChangeAccountList } from './change-account-list.tsx';

/** Which of the lists prices this project's usage, and what administrators do about it. `titles`: of lists, by name. */
export function AccountList({ titles }: { titles: ReadonlyMap<string, string> }) {
  const project = useProjectName();
  const { data, error, refetch } = useQuery(accountPriceListQuery(useApi(), project));
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-24 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  return <Shown list={data} titles={titles} />;
}

function Shown({ list, titles }: { list: AccountPriceList; titles: ReadonlyMap<string, string> }) {
  const admin = useUser()?.admin === true;
  const [changing, setChanging] = useState(false);
  const minute = Math.floor(useNow() / 60_000) * 60_000;
  const regions = list.regions.filter(({ priceList }) => priceList === list.priceList);
  const { changes } = list;
  return (
    <Panel
      title={`Prices of ${list.project}`}
      note="Usage is priced by the list that the project has when it happens."
      actions={
        admin && (
          <Button size="sm" onClick={() => setChanging(true)}>
            Change price list
          </Button>
        )
      }
    >
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-semibold">{list.title}</span>
        <span className="text-ink-3">{list.currency}</span>
        {list.freeTier && <Pill tone="ok">Free tier</Pill>}
      </p>
      {regions.length > 0 && (
        <p className="mt-1 text-xs text-ink-3">As in {regions.map(({ region }) => region).join(', ')}.</p>
      )}
      {changes.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1 border-t border-line pt-3">
          {changes.map(({ priceList, effectiveFrom }) => (
            <li key={effectiveFrom} className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <span className="figures text-ink-2">from {dateTimeText(effectiveFrom)}</span>
              <span className="font-medium">{titles.get(priceList) ?? priceList}</span>
              {Date.parse(effectiveFrom) > minute && <Pill tone="accent">Planned</Pill>}
            </li>
          ))}
        </ul>
      )}
      {changing && <ChangeAccountList list={list} onClose={() => setChanging(false)} />}
    </Panel>
  );
}
