/**
 * A subset of CloudEvents SQL v1 (https://github.com/cloudevents/spec/blob/main/cesql/spec.md): attributes, `EXISTS`, `=`, `!=`,
 * `<>`, `<`, `<=`, `>`, `>=`, `[NOT] LIKE`, `[NOT] IN`, `NOT`, `AND`, `OR`, `XOR`, brackets, and strings, whole numbers and booleans.
 * Without arithmetic and functions.
 */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'attribute' | 'exists'; readonly name: string }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or' | 'xor'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly by: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'like'; readonly of: Expression; readonly pattern: readonly LikePart[] }
  | { readonly kind: 'in'; readonly of: Expression; readonly set: readonly Expression[] };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';
/** `%` any characters, `_` one of them, or this character. */
export type LikePart = { readonly any: 'some' | 'one' } | { readonly is: string };

export const MAX_EXPRESSION = 1_000;
const MAX_DEPTH = 50;

/** `position` is the character, counted from 1. */
export class FilterSyntaxError extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(`${message} at character ${position}`);
    this.name = 'FilterSyntaxError';
    this.position = position;
  }
}

interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'sign' | 'end';
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

const TOKEN =
  /\s*(?:([A-Za-z][A-Za-z0-9]*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([+-]?\d+)|(<>|!=|<=|>=|[=<>(),]))/suy;
const KEYWORDS = ['AND', 'OR', 'XOR', 'NOT', 'EXISTS', 'LIKE', 'IN', 'TRUE', 'FALSE'];
const INTEGER = 2_147_483_647;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let from = 0; text.slice(from).trim() !== ''; from = TOKEN.lastIndex) {
    TOKEN.lastIndex = from;
    const match = TOKEN.exec(text);
    const start = from + (text.slice(from).length - text.slice(from).trimStart().length);
    if (match === null) {
      const open = text[start] === "'" || text[start] === '"';
      throw new FilterSyntaxError(open ? 'the string is not closed' : `unexpected ${text[start]}`, start + 1);
    }
    const [, word, quoted, number, sign] = match;
    if (word !== undefined) found.push({ kind: 'word', text: word, at: start });
    else if (quoted !== undefined) found.push({ kind: 'string', text: quoted, at: start });
    else if (number !== undefined) found.push({ kind: 'number', text: number, at: start });
    else found.push({ kind: 'sign', text: sign ?? '', at: start });
  }
  found.push({ kind: 'end', text: 'the end', at: text.length });
  return found;
}

/** @throws FilterSyntaxError that says what was expected where */
export function parseFilter(text: string): Expression {
  if (text.length > MAX_EXPRESSION) {
    throw new FilterSyntaxError(`longer than ${MAX_EXPRESSION} characters`, MAX_EXPRESSION + 1);
  }
  const all = tokens(text);
  let place = 0;
  let depth = 0;
  const now = (): Token => all[place] ?? { kind: 'end', text: 'the end', at: text.length };
  const isWord = (word: string) => now().kind === 'word' && now().text.toUpperCase() === word;
  const isSign = (sign: string) => now().kind === 'sign' && now().text === sign;
  const take = (): Token => {
    const token = now();
    place += 1;
    return token;
  };
  const fail = (expected: string): never => {
    throw new FilterSyntaxError(`expected ${expected}, got ${now().text}`, now().at + 1);
  };
  const takeSign = (sign: string) => (isSign(sign) ? take() : fail(`“${sign}”`));

  /** Loosest first: OR and XOR, AND, NOT, then comparisons. */
  function either(): Expression {
    depth += 1;
    if (depth > MAX_DEPTH) throw new FilterSyntaxError(`nested deeper than ${MAX_DEPTH}`, now().at + 1);
    let left = both();
    while (isWord('OR') || isWord('XOR')) {
      const kind = take().text.toUpperCase() === 'OR' ? 'or' : 'xor';
      left = { kind, left, right: both() };
    }
    depth -= 1;
    return left;
  }
  function both(): Expression {
    let left = negated();
    while (isWord('AND')) {
      take();
      left = { kind: 'and', left, right: negated() };
    }
    return left;
  }
  function negated(): Expression {
    if (!isWord('NOT')) return compared();
    let times = 0;
    for (; isWord('NOT'); times += 1) take();
    const inner = value();
    // The specification reads NOT a = b as (NOT a) = b, which nobody means.
    const bare =
      (isWord('NOT') || isWord('LIKE') || isWord('IN') || now().kind === 'sign') && !isSign(')') && !isSign(',');
    if (bare) throw new FilterSyntaxError('put brackets around what NOT is about: NOT (…)', now().at + 1);
    return times % 2 === 0 ? inner : { kind: 'not', of: inner };
  }
  function compared(): Expression {
    let left = value();
    for (;;) {
      const sign = now();
      if (sign.kind === 'sign' && sign.text !== '(' && sign.text !== ')' && sign.text !== ',') {
        take();
        const by = (sign.text === '<>' ? '!=' : sign.text) as Comparison;
        left = { kind: 'compare', by, left, right: value() };
        continue;
      }
      const opposite = isWord('NOT');
      if (opposite) take();
      if (isWord('LIKE')) left = like(left);
      else if (isWord('IN')) left = within(left);
      else if (opposite) fail('LIKE or IN after NOT');
      else return left;
      if (opposite) left = { kind: 'not', of: left };
    }
  }
  function like(of: Expression): Expression {
    take();
    if (now().kind !== 'string') fail('a string after LIKE');
    return { kind: 'like', of, pattern: likeParts(take().text.slice(1, -1)) };
  }
  function within(of: Expression): Expression {
    take();
    takeSign('(');
    const set = [either()];
    while (isSign(',')) {
      take();
      set.push(either());
    }
    takeSign(')');
    return { kind: 'in', of, set };
  }
  function value(): Expression {
    const token = now();
    if (token.kind === 'string') {
      take();
      return { kind: 'literal', value: token.text.slice(1, -1).replace(/\\(['"\\])/gsu, '$1') };
    }
    if (token.kind === 'number') {
      const number = Number(take().text);
      if (number > INTEGER || number < -INTEGER - 1)
        throw new FilterSyntaxError('the number needs more than 32 bits', token.at + 1);
      return { kind: 'literal', value: number };
    }
    if (isSign('(')) {
      take();
      const inner = either();
      takeSign(')');
      return inner;
    }
    if (isWord('TRUE') || isWord('FALSE')) return { kind: 'literal', value: take().text.toUpperCase() === 'TRUE' };
    if (isWord('EXISTS')) {
      take();
      return { kind: 'exists', name: attribute() };
    }
    const name = attribute();
    if (isSign('(')) throw new FilterSyntaxError(`there is no function ${name} here`, token.at + 1);
    return { kind: 'attribute', name };
  }
  function attribute(): string {
    const token = now();
    if (token.kind !== 'word' || KEYWORDS.includes(token.text.toUpperCase())) fail('an attribute or a value');
    take();
    return token.text;
  }

  const parsed = either();
  if (now().kind !== 'end') fail('AND, OR or the end');
  return parsed;
}

function likeParts(text: string): LikePart[] {
  const parts: LikePart[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    const next = text[index + 1];
    if (character === '\\' && next !== undefined && '%_\\\'"'.includes(next)) {
      parts.push({ is: next });
      index += 1;
    } else if (character === '%') parts.push({ any: 'some' });
    else if (character === '_') parts.push({ any: 'one' });
    else parts.push({ is: character });
  }
  return parts;
}
