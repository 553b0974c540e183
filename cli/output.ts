export interface Output {
  readonly json: boolean;
  /** Whether progress may rewrite its line. */
  readonly interactive: boolean;
  /** A line of the result, on standard output. */
  line(text?: string): void;
  /** The result as one JSON document (or one a line, when called repeatedly). */
  data(value: unknown): void;
  /** For a person who waits; on standard error, never with --json. */
  progress(text: string): void;
  endProgress(): void;
  error(text: string): void;
}

export interface OutputStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

export function createOutput({ stdout, stderr }: OutputStreams, json: boolean): Output {
  const interactive = stderr.isTTY === true && !json;
  let open = false;
  let last = '';
  const endProgress = () => {
    if (open && interactive) stderr.write('\n');
    open = false;
    last = '';
  };
  return {
    json,
    interactive,
    line(text = '') {
      endProgress();
      stdout.write(`${text}\n`);
    },
    data(value) {
      endProgress();
      stdout.write(`${JSON.stringify(value)}\n`);
    },
    progress(text) {
      // A log wants to know what is being done, not each percent of it.
      const told = interactive ? text : (text.split(':')[0] ?? text);
      if (json || told === last) return;
      last = told;
      if (interactive) stderr.write(`\r\u001b[K${text}`);
      else stderr.write(`${told}\n`);
      open = true;
    },
    endProgress,
    error(text) {
      endProgress();
      stderr.write(`${text}\n`);
    },
  };
}

/** Columns aligned with two spaces between; the head in capitals, as kubectl and docker do. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head.map((cell) => cell.toUpperCase()), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `12s`, `5m`, `3h`, `2d` since a moment. */
export function age(since: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
