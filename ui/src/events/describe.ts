import { EVENT_TYPES, EVENTS, type EventEnvelope, isEventType, matchesType } from '@skyrun/contracts';
import type { EventFilter } from '../api/queries.ts';
import type { Tone } from '../components/pill.tsx';
import { requestsText } from '../format/quantity.ts';

/** The catalogue's nouns, as patterns to filter by. */
export const TYPE_GROUPS: readonly { readonly noun: string; readonly pattern: string }[] = [
  ...new Set(
    EVENT_TYPES.filter((type) => EVENTS[type].retention === 'history').map((type) => type.split('.')[1] ?? ''),
  ),
].map((noun) => ({ noun, pattern: `skyrun.${noun}.*` }));

/** What happened: in the catalogue's words, or in the autoscaler's own. */
export function summaryOf({ type, data }: EventEnvelope): string {
  const sentence = sentenceOf(data);
  return sentence ?? (isEventType(type) ? EVENTS[type].summary : type);
}

function sentenceOf(data: unknown): string | undefined {
  const decision = fieldsOf(data).get('decision');
  const sentence = fieldsOf(decision).get('sentence') ?? fieldsOf(data).get('sentence');
  return typeof sentence === 'string' ? sentence : undefined;
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** `skyrun.instance.ready.v1` → `instance.ready`. */
export const shortType = (type: string): string => type.replace(/^skyrun\./, '').replace(/\.v\d+$/, '');

export function toneOf(type: string): Tone {
  const verb = type.split('.')[2] ?? '';
  if (['failed', 'lost'].includes(verb)) return 'bad';
  if (['ready', 'imported', 'created', 'added'].includes(verb)) return 'ok';
  if (['draining', 'deleted', 'removed', 'stopped'].includes(verb)) return 'warn';
  if (['started', 'decided', 'updated', 'closed'].includes(verb)) return 'accent';
  return 'muted';
}

/** Whether the history keeps it; what it does not keep is not listed live either. */
export const isKept = (type: string): boolean => !isEventType(type) || EVENTS[type].retention === 'history';

/** The filter of the history, applied to an event that has just arrived. */
export function passes(event: EventEnvelope, { type, text }: EventFilter): boolean {
  if (type !== undefined && !matchesType(type, event.type)) return false;
  return text === undefined || JSON.stringify(event).toLowerCase().includes(text.toLowerCase());
}

/** The live events before the history, each once. */
export function mergeEvents(live: readonly EventEnvelope[], history: readonly EventEnvelope[]): EventEnvelope[] {
  const seen = new Set<string>();
  return [...live, ...history].filter(({ source, id }) => {
    const key = `${source} ${id}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const requestsOf = (count: unknown): string | undefined =>
  typeof count === 'number' ? requestsText(String(count)) : undefined;

/** What tells this event from others of its type, e.g. the service and the reason. Empty when the type says it all. */
export function detailOf({ data }: EventEnvelope): string {
  const fields = fieldsOf(data);
  return [
    fields.get('service'),
    fields.get('number'),
    fields.get('email'),
    requestsOf(fields.get('requests')),
    fields.get('reason'),
    fields.get('message'),
  ]
    .filter((text) => typeof text === 'string' && text !== '')
    .join(' · ');
}

/** Events in a row that say the same, of one resource or of several; usage comes every few seconds and would bury the rest. */
export interface EventRun {
  readonly key: string;
  readonly events: readonly EventEnvelope[];
}

/** Runs shorter than this are listed one by one. */
const MIN_RUN = 3;

/** Groups neighbours that say the same; of several resources only where it is neither good news nor bad. The key is that of the oldest, so a run that grows stays itself. */
export function runsOf(events: readonly EventEnvelope[]): EventRun[] {
  const runs: EventEnvelope[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0] !== undefined && sayTheSame(run[0], event)) run.push(event);
    else runs.push([event]);
  }
  return runs
    .flatMap((run) => (run.length < MIN_RUN ? run.map((event) => [event]) : [run]))
    .map((run) => ({ key: keyOf(run.at(-1)), events: run }));
}

const sayTheSame = (one: EventEnvelope, other: EventEnvelope): boolean =>
  one.type === other.type &&
  summaryOf(one) === summaryOf(other) &&
  (one.subject === other.subject || toneOf(one.type) === 'muted');

/** The services that a run is about. */
export function servicesOf(run: readonly EventEnvelope[]): string {
  const names = run.map(({ data }) => fieldsOf(data).get('service')).filter((name) => typeof name === 'string');
  return [...new Set(names)].sort().join(', ');
}

/** What a run is about: its one subject, or how many. */
export function subjectOf(run: readonly EventEnvelope[]): string {
  const subjects = new Set(run.map(({ subject }) => subject));
  return subjects.size === 1 ? (run[0]?.subject ?? '') : `${subjects.size} resources`;
}

const keyOf = (event: EventEnvelope | undefined): string => `${event?.source} ${event?.id}`;
