import {
  type EventEnvelope,
  type Expression,
  matchesType,
  type PushFilter,
  parseFilter,
  passesFilter,
} from '@skyrun/contracts';

/** Whether a subscription's filter takes an event: all that it names must hold. */
export function takes({ types, subject, attributes, sql }: PushFilter, event: EventEnvelope): boolean {
  if (types.length > 0 && !types.some((pattern) => matchesType(pattern, event.type))) return false;
  if (!event.subject.startsWith(subject)) return false;
  const { data: _, ...context } = event;
  const given = new Map<string, unknown>(Object.entries(context));
  const plain = Object.entries(attributes).every(([name, value]) => {
    const own = given.get(name);
    return own !== undefined && String(own) === value;
  });
  return plain && (sql === '' || passesFilter(parsed(sql), given));
}

/** Subscriptions are few and events many: an expression is read once. */
const known = new Map<string, Expression>();
const MOST_KNOWN = 1_000;

function parsed(sql: string): Expression {
  let expression = known.get(sql);
  if (expression === undefined) {
    expression = parseFilter(sql);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(sql, expression);
  }
  return expression;
}
