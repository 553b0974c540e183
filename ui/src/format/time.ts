const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A span in its largest fitting unit: `3 min`, `2 d`; under a second is `now`'s business. */
export function spanText(ms: number): string {
  for (const [unit, size] of UNITS) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  return '0 s';
}

/** How long ago `iso` was. Clocks differ a little, so the future counts as now. */
export function agoText(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  return age < 1000 ? 'just now' : `${spanText(age)} ago`;
}

const DATE_TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const SHORT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const dateTimeText = (iso: string): string => DATE_TIME.format(Date.parse(iso));
export const dateText = (iso: string): string => DATE.format(Date.parse(iso));
export const shortTimeText = (iso: string): string => SHORT.format(Date.parse(iso));

/** Local wall-clock time with milliseconds, for logs and events. */
export function clockText(iso: string): string {
  const at = new Date(Date.parse(iso));
  const two = (value: number) => value.toString().padStart(2, '0');
  const millis = at.getMilliseconds().toString().padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}
