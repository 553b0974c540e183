import { EVENTS, type EventData, type EventType, isEventType } from './catalogue.ts';
import { type EventEnvelope, eventEnvelope } from './envelope.ts';
import { type Fits, fitsOf } from './fits.ts';
import { isTeamPattern, isTeamType, type TeamEventType } from './team-type.ts';

/** A checked event of one type. */
export interface SkyrunEvent<Type extends EventType = EventType> extends Omit<EventEnvelope, 'type' | 'data'> {
  readonly type: Type;
  readonly data: EventData<Type>;
}

/** An event of the catalogue; a union that narrows by `type`. */
export type PlatformEvent = { [Type in EventType]: SkyrunEvent<Type> }[EventType];

/** An event of the catalogue or of a team's own type; narrows by `type`. */
export type AnyEvent = PlatformEvent | TeamEvent;

/** An event of a team's own type; `Data` is what its registered schema says. */
export interface TeamEvent<Type extends TeamEventType = TeamEventType, Data = unknown>
  extends Omit<EventEnvelope, 'type' | 'data'> {
  readonly type: Type;
  readonly data: Data;
}

/** A team's event before its source numbers it. */
export interface TeamEventDraft<Type extends TeamEventType = TeamEventType, Data = unknown> {
  /** Where the publisher names its events itself. */
  readonly id?: string;
  readonly type: Type;
  readonly subject: string;
  readonly project: string;
  readonly data: Data;
  readonly traceparent?: string;
}

/** An event before its source numbers it. */
export interface EventDraft<Type extends EventType = EventType> {
  readonly type: Type;
  readonly subject: string;
  readonly project?: string;
  readonly data: EventData<Type>;
  readonly traceparent?: string;
}

export type EventProblem = 'unknown_type' | 'invalid_envelope' | 'invalid_data';

/** Thrown where an event is published or consumed that the catalogue does not know or that does not fit its schema. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
  readonly problem: EventProblem;
  readonly eventType: string;

  constructor(problem: EventProblem, eventType: string, detail: string) {
    super(`${problem}: ${eventType}: ${detail}`);
    this.problem = problem;
    this.eventType = eventType;
  }
}

/**
 * Checks an event from anywhere; unknown data fields are dropped, as a newer producer may add some. The data of a team's own
 * type was checked against its registered schema by who published it.
 */
export function parseEvent(input: unknown): AnyEvent {
  if (isExact(input)) return input;
  const envelope = eventEnvelope.safeParse(input);
  if (!envelope.success) throw new InvalidEventError('invalid_envelope', '?', envelope.error.message);
  const { type } = envelope.data;
  if (isTeamType(type)) return { ...envelope.data, type };
  if (!isEventType(type)) throw new InvalidEventError('unknown_type', type, 'not in the catalogue');
  const data = EVENTS[type].data.safeParse(envelope.data.data);
  if (!data.success) throw new InvalidEventError('invalid_data', type, data.error.message);
  return { ...envelope.data, type, data: data.data } as AnyEvent;
}

const exactEnvelope = fitsOf(eventEnvelope);
/** Made as types are met: a process sees few of the catalogue's. */
const exactData = new Map<string, Fits | null>();

/** Whether it fits its schema to the letter, so that there is nothing to drop and nothing to fill in. */
function isExact(input: unknown): input is AnyEvent {
  if (!exactEnvelope?.(input)) return false;
  const { type, data } = input as EventEnvelope;
  let fits = exactData.get(type);
  if (fits === undefined) {
    if (!isEventType(type)) return isTeamType(type);
    fits = fitsOf(EVENTS[type].data);
    exactData.set(type, fits);
  }
  return fits?.(data) ?? false;
}

export function isEvent<Type extends EventType>(
  event: AnyEvent,
  type: Type,
): event is Extract<AnyEvent, { type: Type }> {
  return event.type === type;
}

/** Whether `type` is meant by a pattern: exact, or with `*` for one or more whole segments, e.g. `skyrun.instance.*`. */
export function matchesType(pattern: string, type: string): boolean {
  return pattern === '*' || pattern === type || fitsParts(pattern.split('*'), type);
}

/**
 * Each part behind the one before, with a character or more in between. No regular expression: strangers send patterns, and one
 * that goes back over many stars holds the process for minutes.
 */
function fitsParts(parts: readonly string[], type: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return type === first;
  if (!type.startsWith(first) || !type.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = type.indexOf(part, at + 1);
    if (found === -1) return false;
    at = found + part.length;
  }
  return type.length - last.length > at;
}

/** What a list of patterns means: types of the catalogue one by one, teams' own as patterns, for nobody knows all of them. */
export interface TypeSet {
  has(type: string): boolean;
  readonly catalogue: readonly EventType[];
  readonly team: readonly string[];
}

/** @throws InvalidEventError `unknown_type` for a pattern that means no type */
export function typeSet(patterns: readonly string[]): TypeSet {
  const catalogue = new Set<string>();
  const team = new Set<string>();
  for (const pattern of patterns) {
    if (isTeamPattern(pattern)) team.add(pattern);
    else for (const type of expandTypes([pattern])) catalogue.add(type);
    if (pattern === '*') team.add('team.*');
  }
  const teamParts = [...team].map((pattern) => pattern.split('*'));
  return {
    has: (type) => catalogue.has(type) || (isTeamType(type) && teamParts.some((parts) => fitsParts(parts, type))),
    catalogue: [...catalogue].filter(isEventType),
    team: [...team],
  };
}

/** The catalogue's types that a list of patterns means; a pattern that means none is an error. */
export function expandTypes(patterns: readonly string[]): EventType[] {
  const all = Object.keys(EVENTS).filter(isEventType);
  const found = new Set<EventType>();
  for (const pattern of patterns) {
    const matching = all.filter((type) => matchesType(pattern, type));
    if (matching.length === 0) throw new InvalidEventError('unknown_type', pattern, 'no event type matches');
    for (const type of matching) found.add(type);
  }
  return [...found];
}
