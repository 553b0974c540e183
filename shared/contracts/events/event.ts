import { EVENTS, type EventData, type EventType, isEventType } from './catalogue.ts';
import { type EventEnvelope, eventEnvelope } from './envelope.ts';

/** A checked event of one type. */
export interface SkyrunEvent<Type extends EventType = EventType> extends Omit<EventEnvelope, 'type' | 'data'> {
  readonly type: Type;
  readonly data: EventData<Type>;
}

/** A union that narrows by `type`. */
export type AnyEvent = { [Type in EventType]: SkyrunEvent<Type> }[EventType];

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

/** Checks an event from anywhere; unknown data fields are dropped, as a newer producer may add some. */
export function parseEvent(input: unknown): AnyEvent {
  const envelope = eventEnvelope.safeParse(input);
  if (!envelope.success) throw new InvalidEventError('invalid_envelope', '?', envelope.error.message);
  const { type } = envelope.data;
  if (!isEventType(type)) throw new InvalidEventError('unknown_type', type, 'not in the catalogue');
  const data = EVENTS[type].data.safeParse(envelope.data.data);
  if (!data.success) throw new InvalidEventError('invalid_data', type, data.error.message);
  return { ...envelope.data, type, data: data.data } as AnyEvent;
}

export function isEvent<Type extends EventType>(
  event: AnyEvent,
  type: Type,
): event is Extract<AnyEvent, { type: Type }> {
  return event.type === type;
}

/** Whether `type` is meant by a pattern: exact, or with `*` for one or more whole segments, e.g. `skyrun.instance.*`. */
export function matchesType(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true;
  const expression = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${expression.join('.+')}$`).test(type);
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
