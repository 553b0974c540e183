import type { StartPercentiles } from '@skyrun/contracts';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { millisText } from '../../format/quantity.ts';
import { KIND_NAMES, phaseName } from './phases.tsx';

/** Percentiles of each phase, one group of rows per kind of start. */
export function StartPercentilesTable({ kinds }: { kinds: readonly StartPercentiles[] }) {
  return (
    <Table label="Percentiles of recent starts" className="text-[0.8125rem]">
      <thead>
        <tr>
          <HeadCell>Phase</HeadCell>
          <HeadCell className="text-right">Starts</HeadCell>
          <HeadCell className="text-right">p50</HeadCell>
          <HeadCell className="text-right">p95</HeadCell>
          <HeadCell className="text-right">p99</HeadCell>
          <HeadCell className="text-right">Longest</HeadCell>
        </tr>
      </thead>
      {kinds.map(({ kind, phases }) => (
        <tbody key={kind} className="figures">
          {phases
            .toSorted((a, b) => Number(b.phase === 'total') - Number(a.phase === 'total'))
            .map(({ phase, count, p50Ms, p95Ms, p99Ms, maxMs }) => (
              <tr key={phase} className={phase === 'total' ? 'bg-sunken font-semibold' : 'text-ink-2'}>
                <Cell className="py-1.5">
                  {phase === 'total' ? (
                    KIND_NAMES[kind].replace(/^./, (first) => first.toUpperCase())
                  ) : (
                    <span className="pl-4">{phaseName(phase, kind)}</span>
                  )}
                </Cell>
                <Cell className="py-1.5 text-right">{count}</Cell>
                <Cell className="py-1.5 text-right whitespace-nowrap">{millisText(p50Ms)}</Cell>
                <Cell className="py-1.5 text-right whitespace-nowrap">{millisText(p95Ms)}</Cell>
                <Cell className="py-1.5 text-right whitespace-nowrap">{millisText(p99Ms)}</Cell>
                <Cell className="py-1.5 text-right whitespace-nowrap">{millisText(maxMs)}</Cell>
              </tr>
            ))}
        </tbody>
      ))}
    </Table>
  );
}
