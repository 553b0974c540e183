/** One proxy's figure in a row, and how Skyrun's compares; null for Skyrun's own. */
export interface Cell {
  readonly figure: string;
  readonly ratio: number | null;
}

const NAME = 24;
const CELL = 20;

/** Rows of one measure each, one column per proxy, Skyrun's first. */
export function heading(proxies: readonly string[]): string {
  return ['', ...proxies].map((name, index) => name.padEnd(index === 0 ? NAME : CELL)).join('');
}

/** `ratio`: Skyrun's figure by this proxy's, so less than 1 is better than it. */
export function row(name: string, cells: readonly Cell[], note = ''): string {
  const columns = cells.map(({ figure, ratio }) =>
    (ratio === null ? figure : `${figure}  ×${ratio.toFixed(2)}`).padEnd(CELL),
  );
  return `${name.padEnd(NAME)}${columns.join('')}${note}`.trimEnd();
}
