import { type EventEnvelope, matchesType, type PushFilter } from '@skyrun/contracts';

/** Whether a subscription's filter takes an event: all that it names must hold. */
export function takes({ types, subject, attributes }: PushFilter, event: EventEnvelope): boolean {
  if (types.length > 0 && !types.some((pattern) => matchesType(pattern, event.type))) return false;
  if (!event.subject.startsWith(subject)) return false;
  const { data: _, ...context } = event;
  const given = new Map<string, unknown>(Object.entries(context));
  return Object.entries(attributes).every(([name, value]) => {
    const own = given.get(name);
    return own !== undefined && String(own) === value;
  });
}
