import { LOG_SEVERITIES, type LogFilter, type LogLine } from '@skyrun/contracts';

/** What of a service's logs the page shows. */
export interface LogView {
  readonly range: LogRange;
  readonly text: string;
  readonly stream: '' | LogLine['stream'];
  readonly severity: '' | (typeof LOG_SEVERITIES)[number];
  readonly revision: string;
  readonly instance: string;
  /** As `datetime-local` fields have it, in the reader's time zone; of the range `between` only. */
  readonly from: string;
  readonly to: string;
}

export const RANGES = [
  { id: 'live', label: 'Live', ms: 0 },
  { id: '15m', label: 'Last 15 minutes', ms: 900_000 },
  { id: '1h', label: 'Last hour', ms: 3_600_000 },
  { id: '24h', label: 'Last 24 hours', ms: 86_400_000 },
  { id: '7d', label: 'Last 7 days', ms: 7 * 86_400_000 },
  { id: 'between', label: 'Between…', ms: 0 },
] as const;
export type LogRange = (typeof RANGES)[number]['id'];

export const EVERYTHING_LIVE: LogView = {
  range: 'live',
  text: '',
  stream: '',
  severity: '',
  revision: '',
  instance: '',
  from: '',
  to: '',
};

/** Whether anything but the time narrows it. */
export function isNarrowed({ text, stream, severity, revision, instance }: LogView): boolean {
  return [text.trim(), stream, severity, revision, instance].some((value) => value !== '');
}

/** The same as a question to the API. */
export function toQuery(view: LogView, now: number): LogFilter {
  const search = view.text.trim();
  const span = RANGES.find(({ id }) => id === view.range)?.ms ?? 0;
  const since =
    view.range === 'between' ? moment(view.from) : span > 0 ? new Date(now - span).toISOString() : undefined;
  const until = view.range === 'between' ? moment(view.to) : undefined;
  return {
    ...(search === '' ? {} : { search }),
    ...(view.stream === '' ? {} : { stream: view.stream }),
    ...(view.severity === '' ? {} : { severity: view.severity }),
    ...(view.revision === '' ? {} : { revision: view.revision }),
    ...(view.instance === '' ? {} : { instance: view.instance }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function moment(local: string): string | undefined {
  const at = Date.parse(local);
  return Number.isFinite(at) ? new Date(at).toISOString() : undefined;
}

/** The same on lines that are here already, as the server would choose. */
export function filterLines<Line extends LogLine>(lines: readonly Line[], view: LogView): readonly Line[] {
  if (!isNarrowed(view)) return lines;
  const wanted = view.text.trim().toLowerCase();
  const least = view.severity === '' ? -1 : LOG_SEVERITIES.indexOf(view.severity);
  return lines.filter(
    (line) =>
      (view.stream === '' || line.stream === view.stream) &&
      (view.revision === '' || line.revisionName === view.revision) &&
      (view.instance === '' || line.instanceId === view.instance) &&
      (least < 0 || (line.severity !== undefined && LOG_SEVERITIES.indexOf(line.severity) >= least)) &&
      (wanted === '' || line.text.toLowerCase().includes(wanted)),
  );
}
