/**
 * The records of a pax extended header: `<length> <key>=<value>\n`, where the length counts the whole record.
 * Null when one is malformed: a reader that guesses would see another path than the engine does.
 */
export function parsePax(bytes: Buffer): ReadonlyMap<string, string> | null {
  const records = new Map<string, string>();
  let position = 0;
  while (position < bytes.length) {
    const space = bytes.indexOf(0x20, position);
    if (space === -1 || space - position > 12) return null;
    const digits = bytes.toString('latin1', position, space);
    if (!/^[1-9][0-9]*$/.test(digits)) return null;
    const end = position + Number(digits);
    if (end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) return null;
    const equals = bytes.indexOf(0x3d, space);
    if (equals === -1 || equals >= end - 1) return null;
    records.set(bytes.toString('utf8', space + 1, equals), bytes.toString('utf8', equals + 1, end - 1));
    position = end;
  }
  return records;
}
