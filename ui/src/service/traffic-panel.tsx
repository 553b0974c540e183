import { OPERATIONS, type Revision, type Service } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { keys } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { classNames } from '../components/class-names.ts';
import { inputStyle } from '../components/input-style.ts';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useMay } from '../shell/permissions.ts';
import { keyOf, type Share, sharesOf, targetsOf, withShare } from './shares.ts';

const COLOURS = ['bg-series-1', 'bg-series-2', 'bg-series-3', 'bg-line-strong'];
const colourOf = (index: number) => COLOURS[index % COLOURS.length] ?? '';

/** Who has the traffic at this moment: not what was asked for, but what gateways do. */
function Current({ service }: { service: Service }) {
  const { traffic } = service.status;
  const routes = service.status.conditions.find(({ type }) => type === 'RoutesReady');
  if (traffic.length === 0) return <p className="text-ink-2">Traffic begins when a first revision is ready.</p>;
  return (
    <div className="flex flex-col gap-3">
      <div aria-hidden className="flex h-2.5 gap-0.5 overflow-hidden rounded-full bg-sunken">
        {traffic.map(({ revisionName, percent, tag }, index) =>
          percent === 0 ? null : (
            <span
              key={`${revisionName} ${tag ?? ''}`}
              className={`${colourOf(index)} transition-[width] duration-500`}
              style={{ width: `${percent}%` }}
            />
          ),
        )}
      </div>
      <ul aria-label="Traffic now" className="flex flex-wrap gap-x-6 gap-y-2">
        {traffic.map(({ revisionName, percent, tag, url, latestRevision }, index) => (
          <li key={`${revisionName} ${tag ?? ''}`} className="flex items-center gap-2">
            <span aria-hidden className={`size-2.5 rounded-full ${percent === 0 ? 'bg-sunken' : colourOf(index)}`} />
            <span className="figures font-semibold">{percent} %</span>
            <span>{revisionName}</span>
            {latestRevision === true && <span className="text-xs text-ink-3">latest</span>}
            {tag !== undefined && (
              <a
                href={url}
                target="_blank"
                rel="noreferrer"
                className="text-[0.8125rem] text-accent-ink underline-offset-4 hover:underline"
              >
                {tag}
              </a>
            )}
          </li>
        ))}
      </ul>
      {routes !== undefined && routes.status !== 'True' && routes.message !== undefined && (
        <p className="text-[0.8125rem] break-words whitespace-pre-line text-warn-ink">{routes.message}</p>
      )}
    </div>
  );
}

interface LineProps {
  readonly share: Share;
  readonly latest: string | undefined;
  readonly onPercent: (percent: number) => void;
  readonly onTag: (tag: string) => void;
}

function Line({ share, latest, onPercent, onTag }: LineProps) {
  const name = share.revisionName ?? 'Latest revision';
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_7rem] items-center gap-x-4 gap-y-2 sm:grid-cols-[minmax(8rem,12rem)_minmax(0,1fr)_3.5rem_8rem]">
      <span className="min-w-0 truncate font-medium">
        {name}
        {share.revisionName === null && latest !== undefined && (
          <span className="block truncate text-xs font-normal text-ink-3">now {latest}</span>
        )}
      </span>
      <input
        type="range"
        min={0}
        max={100}
        value={share.percent}
        aria-label={`Share of ${name}`}
        aria-valuetext={`${share.percent} %`}
        onChange={(event) => onPercent(event.target.valueAsNumber)}
        className="order-3 w-full accent-accent sm:order-none"
      />
      <span className="figures order-4 text-right font-semibold sm:order-none">{share.percent} %</span>
      <input
        value={share.tag}
        aria-label={`Tag of ${name}`}
        placeholder="no tag"
        maxLength={40}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onTag(event.target.value)}
        className={classNames(inputStyle, 'order-2 sm:order-none')}
      />
    </li>
  );
}

/** Splits, tags and takes back: a change goes to the gateways at once. */
export function TrafficPanel({ service, revisions }: { service: Service; revisions: readonly Revision[] }) {
  const { project, name } = service;
  const api = useApi();
  const queries = useQueryClient();
  const may = useMay(project);
  // What the person moved; a newer spec in the cache must not slip under their hands.
  const [edited, setEdited] = useState<{ shares: Share[]; generation: number } | null>(null);
  const shares = edited?.shares ?? sharesOf(service, revisions);
  const edit = (next: Share[]) => setEdited({ shares: next, generation: edited?.generation ?? service.generation });

  const params = { project, service: name };
  function adopt(changed: Service, says: string) {
    queries.setQueryData(keys.service(project, name), changed);
    setEdited(null);
    toast(says);
  }
  const apply = useAction(async () => {
    back.clear();
    const changed = await api.call(OPERATIONS.updateTraffic, {
      params,
      body: { traffic: targetsOf(shares) },
      headers: { 'if-match': `"${edited?.generation ?? service.generation}"` },
    });
    adopt(changed, 'Traffic was moved.');
  });
  const back = useAction(async () => {
    apply.clear();
    const changed = await api.call(OPERATIONS.rollBack, { params, body: {} });
    adopt(changed, `Rolled back to ${changed.status.traffic[0]?.revisionName}.`);
  });
  const busy = apply.busy || back.busy;
  const problem = apply.problem ?? back.problem;
  const writes = may('services.write');
  const splittable = writes && service.status.traffic.length > 0;
  return (
    <Panel
      title="Traffic"
      note="Which revision answers how much. A tag gives a revision an address of its own."
      actions={
        splittable && revisions.length > 1 ? (
          <Button size="sm" busy={back.busy} disabled={busy} onClick={back.run}>
            <Undo2 aria-hidden />
            Roll back
          </Button>
        ) : undefined
      }
    >
      <div className="flex flex-col gap-5">
        <Current service={service} />
        {splittable && (
          <ul aria-label="Traffic to set" className="flex flex-col gap-4 border-t border-line pt-4">
            {shares.map((share, index) => (
              <Line
                key={keyOf(share)}
                share={share}
                latest={service.status.latestReadyRevision}
                onPercent={(percent) => edit(withShare(shares, index, percent))}
                onTag={(tag) => edit(shares.map((other, at) => (at === index ? { ...other, tag } : other)))}
              />
            ))}
          </ul>
        )}
        {problem !== null && <ProblemNotice error={problem} />}
        {edited !== null && (
          <div className="flex justify-end gap-2">
            <Button disabled={busy} onClick={() => setEdited(null)}>
              Discard
            </Button>
            <Button tone="solid" busy={apply.busy} disabled={busy} onClick={apply.run}>
              Move traffic
            </Button>
          </div>
        )}
      </div>
    </Panel>
  );
}
