/** Minute, hour, day of month, month, day of week. */
const FIELDS: readonly {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words: string;
}[] = [
  { name: 'minute', least: 0, most: 59, words: '' },
  { name: 'hour', least: 0, most: 23, words: '' },
  { name: 'day of month', least: 1, most: 31, words: '' },
  { name: 'month', least: 1, most: 12, words: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC' },
  { name: 'day of week', least: 0, most: 7, words: 'SUN MON TUE WED THU FRI SAT' },
];

/** What is wrong with a cron expression of five fields, in words; null when nothing is. */
export function cronError(expression: string): string | null {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    return 'expected five fields: minute, hour, day of month, month, day of week, such as "0 8 * * MON-FRI"';
  }
  for (const [index, field] of FIELDS.entries()) {
    const part = parts[index] ?? '';
    if (!part.split(',').every((item) => isItem(item, field))) {
      return `${field.name}: ${part} is not understood; expected ${field.least}–${field.most}, a range, a list, or * with a step`;
    }
  }
  return null;
}

function isItem(item: string, { least, most, words }: (typeof FIELDS)[number]): boolean {
  const [range = '', step, more] = item.split('/');
  if (more !== undefined) return false;
  if (step !== undefined && !(/^\d{1,2}$/.test(step) && Number(step) > 0)) return false;
  if (range === '*') return true;
  const ends = range.split('-');
  const names = words.split(' ');
  const read = (text: string) => {
    const named = text === '' ? -1 : names.indexOf(text.toUpperCase());
    if (words !== '' && named >= 0) return least + named;
    return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  };
  const [from = Number.NaN, to = from, third] = ends.map(read);
  return third === undefined && from >= least && to <= most && from <= to;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
