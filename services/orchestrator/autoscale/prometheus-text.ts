/**
 * The value of a metric in Prometheus text (exposition format 0.0.4): series that differ in labels only are added up. Null
 * where it is not there or is no number.
 */
export function readMetric(text: string, name: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    const value = numberAfter(rest);
    if (value === null) continue;
    sum = (sum ?? 0) + value;
  }
  return sum;
}

function numberAfter(rest: string): number | null {
  let at = 0;
  if (rest[0] === '{') {
    at = endOfLabels(rest);
    if (at < 0) return null;
  } else if (rest[0] !== ' ' && rest[0] !== '\t') return null;
  const [text = ''] = rest.slice(at).trim().split(/\s+/);
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? null : value;
}

/** A brace within a quoted label value does not end the labels. */
function endOfLabels(rest: string): number {
  let quoted = false;
  for (let index = 1; index < rest.length; index += 1) {
    const character = rest[index];
    if (quoted && character === '\\') index += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === '}' && !quoted) return index + 1;
  }
  return -1;
}
