import type { Clause } from './clause.ts';

const HEAD = ['', 'clause', 'source', 'expectation', 'seen'] as const;
/** What a column may take; the rest of a text is cut off. The whole of it is in the JSON form. */
const WIDEST = [1, 34, 38, 60, 72] as const;

/** One row per clause; what does not hold is marked, and counted below. */
export function table(clauses: readonly Clause[]): string {
  const rows = [
    HEAD,
    ...clauses.map((each) => [each.holds ? '✓' : '✗', each.clause, each.source, each.expectation, each.seen]),
  ];
  const widths = WIDEST.map((most, column) =>
    Math.min(most, Math.max(...rows.map((cells) => (cells[column] ?? '').length))),
  );
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => fit(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const broken = clauses.filter(({ holds }) => !holds);
  const verdict =
    broken.length === 0
      ? `all ${clauses.length} clauses hold`
      : `${broken.length} of ${clauses.length} clauses do not hold`;
  return [
    ...lines,
    '',
    ...broken.map(({ clause, expectation, seen }) => `✗ ${clause}: expected ${expectation}; saw ${seen}`),
    verdict,
  ].join('\n');
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);
}
