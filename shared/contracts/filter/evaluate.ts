import type { Comparison, Expression, LikePart } from './parse.ts';

type Value = string | number | boolean;
/** An attribute that is not there, or a value that is not of the type that is needed. */
const NONE = Symbol('none');

/**
 * Whether an event passes. As the specification says of filters, an error (a missing attribute, a text that is no number) is not
 * a pass: it makes the comparison false. Takes steps in proportion to the expression's and the values' length.
 */
export function passesFilter(expression: Expression, attributes: ReadonlyMap<string, unknown>): boolean {
  return toBoolean(evaluate(expression, attributes)) === true;
}

function evaluate(expression: Expression, attributes: ReadonlyMap<string, unknown>): Value | typeof NONE {
  const of = (inner: Expression) => evaluate(inner, attributes);
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'attribute': {
      const value = attributes.get(expression.name);
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : NONE;
    }
    case 'exists':
      return attributes.get(expression.name) !== undefined;
    case 'not': {
      const value = toBoolean(of(expression.of));
      return value === NONE ? NONE : !value;
    }
    case 'and':
      return toBoolean(of(expression.left)) === true && toBoolean(of(expression.right)) === true;
    case 'or':
      return toBoolean(of(expression.left)) === true || toBoolean(of(expression.right)) === true;
    case 'xor': {
      const [left, right] = [toBoolean(of(expression.left)), toBoolean(of(expression.right))];
      return left === NONE || right === NONE ? NONE : left !== right;
    }
    case 'compare':
      return compare(expression.by, of(expression.left), of(expression.right));
    case 'like': {
      const value = of(expression.of);
      return value === NONE ? NONE : isLike(String(value), expression.pattern);
    }
    case 'in': {
      const value = of(expression.of);
      return value === NONE ? NONE : expression.set.some((one) => compare('=', value, of(one)) === true);
    }
  }
}

/** Both sides become of one type first: the literal's or attribute's that is no text decides. */
function compare(by: Comparison, left: Value | typeof NONE, right: Value | typeof NONE): boolean | typeof NONE {
  if (left === NONE || right === NONE) return NONE;
  if (by === '=' || by === '!=') {
    const [one, other] = alike(left, right);
    if (one === NONE || other === NONE) return by === '!=';
    return (one === other) === (by === '=');
  }
  const a = toNumber(left);
  const b = toNumber(right);
  if (a === NONE || b === NONE) return NONE;
  if (by === '<') return a < b;
  if (by === '<=') return a <= b;
  return by === '>' ? a > b : a >= b;
}

function alike(left: Value, right: Value): readonly [Value | typeof NONE, Value | typeof NONE] {
  if (typeof left === typeof right) return [left, right];
  if (typeof left === 'boolean' || typeof right === 'boolean') return [toBoolean(left), toBoolean(right)];
  return [toNumber(left), toNumber(right)];
}

function toBoolean(value: Value | typeof NONE): boolean | typeof NONE {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return NONE;
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : NONE;
}

function toNumber(value: Value): number | typeof NONE {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : NONE;
}

/** Greedy with one way back, so at most length times length steps, whatever the pattern. */
function isLike(text: string, pattern: readonly LikePart[]): boolean {
  let [at, part] = [0, 0];
  let back: readonly [number, number] | null = null;
  while (at < text.length) {
    const now = pattern[part];
    if (now !== undefined && 'any' in now && now.any === 'some') {
      back = [at, part];
      part += 1;
    } else if (now !== undefined && ('any' in now || now.is === text[at])) {
      at += 1;
      part += 1;
    } else if (back !== null) {
      back = [back[0] + 1, back[1]];
      at = back[0];
      part = back[1] + 1;
    } else return false;
  }
  return pattern.slice(part).every((rest) => 'any' in rest && rest.any === 'some');
}
