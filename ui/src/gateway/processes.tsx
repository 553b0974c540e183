import type { GatewayView } from '@skyrun/contracts';
import { Ago } from '../components/ago.tsx';
import { Pill, type Tone } from '../components/pill.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { bytesText, figure } from '../format/quantity.ts';
import { isSilent, perSecond, responses } from './combine.ts';

const LIMITS: Readonly<Record<GatewayView['sharedLimits'], string>> = {
  shared: 'shared',
  alone: 'its own',
  unreachable: 'its own, Redis is away',
};

function stateOf(view: GatewayView, now: number): { tone: Tone; text: string } {
  if (isSilent(view, now)) return { tone: 'bad', text: 'silent' };
  if (view.draining) return { tone: 'warn', text: 'draining' };
  if (!view.registryLive) return { tone: 'warn', text: 'last known routes' };
  return { tone: 'ok', text: 'serving' };
}

/** A row per gateway process. */
export function Processes({ views, now }: { views: readonly GatewayView[]; now: number }) {
  return (
    <Table label="Gateway processes, table" className="min-w-208">
      <thead>
        <tr>
          <HeadCell>Process</HeadCell>
          <HeadCell>State</HeadCell>
          <HeadCell className="text-right">Requests/s</HeadCell>
          <HeadCell className="text-right">Refused/s</HeadCell>
          <HeadCell className="text-right">Connections</HeadCell>
          <HeadCell className="text-right">CPU</HeadCell>
          <HeadCell className="text-right">Memory</HeadCell>
          <HeadCell className="text-right">Routes</HeadCell>
          <HeadCell>Rate limits</HeadCell>
          <HeadCell>Started</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {views.map((view) => {
          const { tone, text } = stateOf(view, now);
          return (
            <tr key={view.gateway}>
              <Cell className="font-mono text-xs font-medium whitespace-nowrap">{view.gateway}</Cell>
              <Cell>
                <Pill tone={tone}>{text}</Pill>
              </Cell>
              <Cell className="figures text-right">{figure(perSecond(responses(view), view.windowMs))}</Cell>
              <Cell className="figures text-right">{figure(perSecond(view.refused, view.windowMs))}</Cell>
              <Cell className="figures text-right">{figure(view.connections)}</Cell>
              <Cell className="figures text-right whitespace-nowrap">{figure(view.cpuShare * 100)} %</Cell>
              <Cell className="figures text-right whitespace-nowrap">{bytesText(view.residentBytes)}</Cell>
              <Cell className="figures text-right">{figure(view.routes)}</Cell>
              <Cell className="text-ink-2">{LIMITS[view.sharedLimits]}</Cell>
              <Cell className="text-[0.8125rem] whitespace-nowrap text-ink-3">
                <Ago time={view.startedAt} />
              </Cell>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}
