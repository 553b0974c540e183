import { OPERATIONS, type PublicPriceList } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi, useUser } from '../../api/context.ts';
import { toProblem } from '../../api/problems.ts';
import { Button } from '../../components/button.tsx';
import { classNames } from '../../components/class-names.ts';
import { useNow } from '../../components/now.ts';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { dateText } from '../../format/time.ts';
import { useProjectName } from '../../shell/place.ts';
import { accountPriceListQuery, priceListsQuery } from '../queries.ts';
import { AccountList } from './account-list.tsx';
import { NewVersion } from './new-version.tsx';
import { PriceDifference } from './price-difference.tsx';
import { inForce } from './price-rows.ts';
import { PriceTable } from './price-table.tsx';

export function PricesTab() {
  const { data, error, refetch } = useQuery(priceListsQuery(useApi()));
  const api = useApi();
  const own = useQuery(accountPriceListQuery(api, useProjectName())).data?.priceList;
  const admin = useUser()?.admin === true;
  const [chosen, setChosen] = useState<string | null>(null);
  const [start, setStart] = useState<string | null>(null);
  // A day is fine enough, and does not draw the page anew each second.
  const today = Math.floor(useNow() / 86_400_000) * 86_400_000 + 86_399_999;
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-96 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  const byName = Map.groupBy(data.items, ({ name }) => name);
  // Until somebody chooses one: what this project pays by.
  const ownVersions = data.items.filter(({ name }) => name === own);
  const shown = data.items.find(({ id }) => id === chosen) ?? inForce(ownVersions, today) ?? data.items[0];
  const current = shown === undefined ? null : inForce(byName.get(shown.name) ?? [], today);
  async function begin(from: PublicPriceList) {
    try {
      const yaml = await api.file(OPERATIONS.getPriceListYaml, { params: { priceListId: from.id } });
      setStart(await yaml.text());
    } catch (caught) {
      const { title, detail } = toProblem(caught);
      toast.error(`The version could not be read: ${detail ?? title}`);
    }
  }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
      <div className="lg:col-span-2">
        <AccountList titles={new Map(data.items.map(({ name, title }) => [name, title]))} />
      </div>
      <Panel title="Versions" note="Usage is priced by the version in force when it happens." flush>
        {[...byName].map(([name, versions]) => (
          <Versions
            key={name}
            versions={versions}
            shown={shown?.id ?? null}
            current={inForce(versions, today)?.id ?? null}
            onChoose={setChosen}
          />
        ))}
      </Panel>
      {shown !== undefined && start !== null && (
        <div className="flex min-w-0 flex-col gap-4">
          <NewVersion
            start={start}
            currentOf={(name) => inForce(byName.get(name) ?? [], today)}
            onAdded={(id) => {
              setStart(null);
              setChosen(id);
            }}
            onClose={() => setStart(null)}
          />
        </div>
      )}
      {shown !== undefined && start === null && (
        <div className="flex min-w-0 flex-col gap-4">
          {current !== null && current.id !== shown.id && <PriceDifference current={current} other={shown} />}
          <PriceTable
            list={shown}
            actions={
              admin && (
                <Button size="sm" onClick={() => void begin(shown)}>
                  New version from this
                </Button>
              )
            }
          />
        </div>
      )}
    </div>
  );
}

interface VersionsProps {
  readonly versions: readonly PublicPriceList[];
  readonly shown: string | null;
  readonly current: string | null;
  readonly onChoose: (id: string) => void;
}

function Versions({ versions, shown, current, onChoose }: VersionsProps) {
  const newestFirst = [...versions].sort((a, b) => Date.parse(b.effectiveFrom) - Date.parse(a.effectiveFrom));
  return (
    <div className="border-b border-line p-2 last:border-0">
      <h3 className="px-2 py-1 text-[0.8125rem] font-medium text-ink-2">{newestFirst[0]?.title}</h3>
      <ul>
        {newestFirst.map(({ id, effectiveFrom }) => (
          <li key={id}>
            <button
              type="button"
              aria-pressed={id === shown}
              onClick={() => onChoose(id)}
              className={classNames(
                'flex h-9 w-full items-center justify-between gap-2 rounded-lg px-2 text-left font-medium transition-colors',
                id === shown ? 'bg-hover text-ink' : 'text-ink-2 hover:bg-hover/60 hover:text-ink',
              )}
            >
              <span className="figures">from {dateText(effectiveFrom)}</span>
              {id === current && <Pill tone="ok">In force</Pill>}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
