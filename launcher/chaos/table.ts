import type { Finding } from './experiment.ts';
import { holds } from './verdict.ts';

const HEAD = [
  'fault',
  'faults',
  'calls',
  'repeated',
  'acknowledged',
  'lost',
  'duplicated',
  'disordered',
  'dead',
  'recovery p50',
  'recovery max',
  'acknowledged/s',
] as const;

export function passes(finding: Finding): boolean {
  return holds(finding) && finding.deadLetters === 0 && finding.stalled === null;
}

/** One row per fault class, and below it what did not hold. */
export function table(findings: readonly Finding[]): string {
  const rows = [HEAD, ...findings.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const notes = findings.flatMap((finding) => [
    ...(finding.stalled === null ? [] : [`${finding.fault}: ${finding.stalled}`]),
    ...finding.examples.map((example) => `${finding.fault}: ${example}`),
    ...(finding.drain.rates.length === 0 ? [] : [`${finding.fault}: ${drainOf(finding.drain)}`]),
  ]);
  return [...lines, ...notes].join('\n');
}

function row(finding: Finding): string[] {
  const {
    fault,
    faults,
    attempted,
    accepted,
    acknowledged,
    lost,
    duplicated,
    disordered,
    deadLetters,
    recoveries,
    rate,
  } = finding;
  const sorted = [...recoveries].sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : `${(ms / 1_000).toFixed(2)} s`);
  return [
    fault,
    ...[faults, accepted, attempted - accepted, acknowledged, lost, duplicated, disordered, deadLetters].map(String),
    seconds(sorted[Math.floor((sorted.length - 1) / 2)]),
    seconds(sorted.at(-1)),
    rate.toFixed(0),
  ];
}

function drainOf({ backlog, rates }: Finding['drain']): string {
  const fourths = rates.map((rate) => rate.toFixed(0)).join(', ');
  return `${backlog} commands had no effect when the broker came back; they drained at ${fourths} a second, fourth by fourth`;
}
