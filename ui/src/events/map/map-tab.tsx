import type { MapEdge, MapNode, ServiceMap } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Boxes, Cpu, Globe, type LucideIcon, Radio, Users, Waypoints, Webhook } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useApi } from '../../api/context.ts';
import { classNames } from '../../components/class-names.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { ScrollRegion } from '../../components/scroll-region.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { figure, millisText } from '../../format/quantity.ts';
import { useProjectName } from '../../shell/place.ts';
import { serviceMapQuery } from '../queries.ts';
import { layOut, layOutNarrow, NODE, neighbours } from './layout.ts';

const ICONS: Readonly<Record<MapNode['kind'], LucideIcon>> = {
  edge: Globe,
  service: Boxes,
  team: Users,
  platform: Cpu,
  group: Radio,
  webhook: Webhook,
};

const KINDS: Readonly<Record<MapNode['kind'], string>> = {
  edge: 'callers',
  service: 'service',
  team: 'team service',
  platform: 'platform',
  group: 'consumer group',
  webhook: 'push destination',
};

const DOT: Readonly<Record<MapNode['health'], string>> = {
  healthy: 'bg-ok',
  degraded: 'bg-warn',
  unhealthy: 'bg-bad',
  expired: 'bg-line-strong',
  unknown: 'bg-line-strong',
};

export function MapTab() {
  const project = useProjectName();
  const list = useQuery(serviceMapQuery(useApi(), project));
  const map = list.data;
  const [chosen, setChosen] = useState<string | null>(null);
  if (map === undefined) {
    return (
      <Panel flush>
        <ListState list={list} items={map} rows={5} />
      </Panel>
    );
  }
  if (map.nodes.length === 0) {
    return (
      <Panel>
        <EmptyState icon={Waypoints} title="Nobody has met yet">
          Who calls whom is drawn here from traffic and events of the last {map.windowSeconds / 60} minutes. Call a
          service, or start a consumer.
        </EmptyState>
      </Panel>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      <Panel
        title="Who talks to whom"
        note={`Traffic and events of the last ${map.windowSeconds / 60} minutes; a thicker line carries more`}
        actions={<Legend />}
        flush
      >
        <Drawing map={map} chosen={chosen} onChoose={(id) => setChosen((known) => (known === id ? null : id))} />
      </Panel>
      <Connections map={map} chosen={chosen} />
    </div>
  );
}

function Legend() {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-3">
      {(['http', 'event', 'push'] as const).map((kind) => (
        <li key={kind} className="flex items-center gap-1.5">
          <svg aria-hidden="true" width="24" height="6">
            <path d="M0 3 H24" className={strokeOf(kind, 0)} strokeWidth="2" strokeDasharray={DASH[kind]} />
          </svg>
          {kind === 'http' ? 'requests' : kind === 'event' ? 'events' : 'pushed'}
        </li>
      ))}
      <li className="flex items-center gap-1.5">
        <svg aria-hidden="true" width="24" height="6">
          <path d="M0 3 H24" className="stroke-bad" strokeWidth="2" />
        </svg>
        with errors
      </li>
    </ul>
  );
}

const DASH: Readonly<Record<MapEdge['kind'], string>> = { http: '', event: '7 4', push: '2 4' };

function strokeOf(kind: MapEdge['kind'], errorRatio: number): string {
  if (errorRatio > 0) return 'stroke-bad';
  return kind === 'http' ? 'stroke-series-1' : kind === 'event' ? 'stroke-series-2' : 'stroke-series-3';
}

function Drawing(props: { map: ServiceMap; chosen: string | null; onChoose: (id: string) => void }) {
  const { map, chosen, onChoose } = props;
  const [room, setRoom] = useState<number | null>(null);
  // React calls it with null when the element goes, and by then nothing is to be measured.
  const measure = useCallback((element: HTMLElement | null) => {
    if (element === null) return;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const wide = layOut(map);
  const narrow = room !== null && room < Math.min(wide.width, NARROW);
  const { nodes, lines, width, height } = narrow ? layOutNarrow(map, room) : wide;
  const near = neighbours(map.edges, chosen);
  return (
    <ScrollRegion label="Service map" className="overflow-x-auto bg-sunken">
      <div ref={measure} />
      <div className="relative mx-auto" style={{ width, height }}>
        <svg aria-hidden="true" width={width} height={height} className="absolute inset-0">
          {lines.map((line) => (
            <path
              key={line.key}
              d={line.path}
              fill="none"
              strokeWidth={line.width}
              strokeDasharray={DASH[line.kind]}
              strokeLinecap="round"
              className={classNames(
                strokeOf(line.kind, line.errorRatio),
                'transition-opacity',
                chosen !== null && line.from !== chosen && line.to !== chosen ? 'opacity-15' : 'opacity-80',
              )}
            />
          ))}
        </svg>
        <ul>
          {nodes.map((node) => (
            <li
              key={node.id}
              className="absolute"
              style={{ left: node.x, top: node.y, width: narrow ? NODE.narrow : NODE.width, height: NODE.height }}
            >
              <NodeButton
                node={node}
                pressed={node.id === chosen}
                dim={near !== null && !near.has(node.id)}
                onChoose={() => onChoose(node.id)}
              />
            </li>
          ))}
        </ul>
      </div>
    </ScrollRegion>
  );
}

function NodeButton(props: { node: MapNode; pressed: boolean; dim: boolean; onChoose: () => void }) {
  const { node, pressed, dim, onChoose } = props;
  const Icon = ICONS[node.kind];
  const copies = node.copies > 0 ? ` · ${node.copies} up` : '';
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={onChoose}
      className={classNames(
        'flex size-full items-center gap-2.5 rounded-xl border bg-surface px-3 text-left shadow-panel transition-[opacity,border-color] hover:border-line-strong',
        pressed ? 'border-accent ring-2 ring-accent/30' : 'border-line',
        dim && 'opacity-40',
      )}
    >
      <span className="flex size-8 shrink-0 items-center justify-center rounded-lg bg-sunken text-ink-2">
        <Icon aria-hidden className="size-4" />
      </span>
      <span className="min-w-0 flex-1">
        <span className="block truncate text-[0.8125rem] font-medium" title={node.name}>
          {node.name}
        </span>
        <span className="block truncate text-xs text-ink-3">
          {KINDS[node.kind]}
          {copies}
        </span>
      </span>
      {node.health !== 'unknown' && (
        <span className={classNames('size-2 shrink-0 rounded-full', DOT[node.health])}>
          <span className="sr-only">{node.health}</span>
        </span>
      )}
    </button>
  );
}

/** Pixels: below, what does not fit is drawn from top to bottom. */
const NARROW = 620;

/** Little is not nothing. */
const rate = (perSecond: number) => (perSecond > 0 && perSecond < 0.01 ? '< 0.01' : figure(perSecond));

const BY: Readonly<Record<MapEdge['kind'], string>> = { http: 'requests', event: 'events', push: 'pushed events' };

function Connections({ map, chosen }: { map: ServiceMap; chosen: string | null }) {
  const nameOf = new Map(map.nodes.map(({ id, name }) => [id, name]));
  const shown = map.edges.filter(({ from, to }) => chosen === null || from === chosen || to === chosen);
  const title = chosen === null ? 'Connections' : `Connections of ${nameOf.get(chosen) ?? chosen}`;
  return (
    <Panel title={title} note="The same as a table" flush>
      {shown.length === 0 ? (
        <p className="p-4 text-ink-3">Nothing has flowed here lately.</p>
      ) : (
        <Table label={`${title}, as a table`}>
          <thead>
            <tr>
              <HeadCell>From</HeadCell>
              <HeadCell>To</HeadCell>
              <HeadCell className="hidden sm:table-cell">By</HeadCell>
              <HeadCell className="text-right">
                <span className="sm:hidden">/s</span>
                <span className="hidden sm:inline">Per second</span>
              </HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Errors</HeadCell>
              <HeadCell className="text-right">Latency</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-0">
            {shown.map((edge) => (
              <tr key={`${edge.kind} ${edge.from} ${edge.to}`}>
                <Cell className="font-medium">
                  {nameOf.get(edge.from) ?? edge.from}
                  <span className="block text-xs font-normal text-ink-3 sm:hidden">{BY[edge.kind]}</span>
                </Cell>
                <Cell className="font-medium">
                  {nameOf.get(edge.to) ?? edge.to}
                  {edge.errorRatio > 0 && (
                    <span className="block text-xs font-normal text-bad-ink sm:hidden">
                      {(edge.errorRatio * 100).toFixed(1)} % errors
                    </span>
                  )}
                </Cell>
                <Cell className="hidden sm:table-cell">
                  {BY[edge.kind]}
                  {edge.types.length > 0 && (
                    <span
                      className="block max-w-80 truncate font-mono text-xs text-ink-3"
                      title={edge.types.join(', ')}
                    >
                      {edge.types.join(', ')}
                    </span>
                  )}
                </Cell>
                <Cell className="figures text-right whitespace-nowrap">{rate(edge.perSecond)}</Cell>
                <Cell className="figures hidden text-right whitespace-nowrap sm:table-cell">
                  {edge.errorRatio === 0 ? (
                    <span className="text-ink-3">none</span>
                  ) : (
                    <Pill tone="bad">{(edge.errorRatio * 100).toFixed(1)} %</Pill>
                  )}
                </Cell>
                <Cell className="figures text-right whitespace-nowrap">{millisText(edge.latencyMs)}</Cell>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
