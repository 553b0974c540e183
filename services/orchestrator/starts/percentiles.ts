import {
  type InstanceStart,
  phaseMs,
  START_PHASES,
  type StartKind,
  type StartPercentiles,
  startTotalMs,
} from '@skyrun/contracts';

const KINDS: readonly StartKind[] = ['created', 'restarted', 'resumed'];

/** The percentiles of each phase and of the whole, by kind of start; kinds and phases that did not occur are left out. Pure. */
export function startPercentilesOf(starts: readonly Pick<InstanceStart, 'kind' | 'phases'>[]): StartPercentiles[] {
  return KINDS.flatMap((kind) => {
    const phases = starts.filter((start) => start.kind === kind).map((start) => start.phases);
    if (phases.length === 0) return [];
    const measured = START_PHASES.map((phase) => ({
      phase,
      values: phases.flatMap((each) => phaseMs(each, phase) ?? []),
    }));
    const rows = [...measured, { phase: 'total' as const, values: phases.map(startTotalMs) }];
    return [
      {
        kind,
        starts: phases.length,
        phases: rows
          .filter(({ values }) => values.some((value) => value > 0))
          .map(({ phase, values }) => ({ phase, count: values.length, ...percentiles(values) })),
      },
    ];
  });
}

function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  // Nearest rank: a figure that was really measured.
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
}
