/** One stream entry: names and values in turn; null when the entry was deleted while it was pending. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly unknown[] | null;
}

/** Empty when the entry has no such field. */
export function field({ fields }: StreamEntry, name: string): string {
  const at = fields?.indexOf(name) ?? -1;
  return at < 0 ? '' : text(fields?.[at + 1]);
}

function list(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** A flat `[key, value, …]` reply; the values as text. */
function pairs(reply: unknown): Map<string, string> {
  const flat = list(reply);
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(text(flat[index]), text(flat[index + 1]));
  return map;
}

/** XRANGE. */
export function parseEntries(reply: unknown): StreamEntry[] {
  return list(reply).flatMap((entry) => {
    const [id, fields] = list(entry);
    return typeof id === 'string' ? [{ id, fields: Array.isArray(fields) ? fields : null }] : [];
  });
}

/** XREAD and XREADGROUP; nil means nothing came. */
export function parseRead(reply: unknown): StreamEntry[] {
  return list(reply).flatMap((stream) => parseEntries(list(stream)[1]));
}

/** XAUTOCLAIM. */
export function parseClaim(reply: unknown): { cursor: string; entries: StreamEntry[] } {
  const [cursor, entries] = list(reply);
  return { cursor: text(cursor), entries: parseEntries(entries) };
}

/** XPENDING of a range: the ids alone. */
export function parsePending(reply: unknown): string[] {
  return list(reply).map((entry) => text(list(entry)[0]));
}

/** XINFO GROUPS and XINFO CONSUMERS: one map per item. */
export function parseInfo(reply: unknown): ReadonlyMap<string, string>[] {
  return list(reply).map(pairs);
}
