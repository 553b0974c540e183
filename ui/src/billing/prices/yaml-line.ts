/**
 * The line (from 1) on which a block-style YAML document says what a JSON pointer names, or the nearest thing around it
 * that is there; null where nothing is. A guide for the eye: flow style below the first key stays on its line.
 */
export function lineOf(yaml: string, pointer: string): number | null {
  const lines = yaml.split('\n');
  let from = 0;
  let until = lines.length;
  let found: number | null = null;
  let indent = -1;
  for (const part of pointer.split('/').slice(1)) {
    const at = /^\d+$/.test(part) ? item(lines, from, until, indent, Number(part)) : key(lines, from, until, part);
    if (at === null) return found;
    found = at + 1;
    indent = indentOf(lines[at] ?? '');
    const end = lines.findIndex(
      (line, index) => index > at && line.trim() !== '' && indentOf(line) <= indent && !isSibling(line, indent),
    );
    from = at;
    until = end === -1 ? lines.length : end;
  }
  return found;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** List items may stand as far left as the key of their list. */
const isSibling = (line: string, indent: number): boolean =>
  indentOf(line) === indent && line.trimStart().startsWith('- ');

function key(lines: readonly string[], from: number, until: number, name: string): number | null {
  const pattern = new RegExp(`(^|[\\s{,-])["']?${name.replace(/[^\w]/g, '\\$&')}["']?\\s*:`);
  for (let index = from; index < until; index += 1) if (pattern.test(lines[index] ?? '')) return index;
  return null;
}

function item(lines: readonly string[], from: number, until: number, indent: number, wanted: number): number | null {
  let count = -1;
  let level: number | null = null;
  for (let index = from + 1; index < until; index += 1) {
    const line = lines[index] ?? '';
    if (!line.trimStart().startsWith('- ') || indentOf(line) < indent) continue;
    level ??= indentOf(line);
    if (indentOf(line) !== level) continue;
    count += 1;
    if (count === wanted) return index;
  }
  return null;
}
