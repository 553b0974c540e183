import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ID_PREFIXES } from '../ids.ts';
import { EVENTS } from './catalogue.ts';
import { eventEnvelope } from './envelope.ts';
import { fitsOf } from './fits.ts';

/** Values that a schema takes as they are. */
function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return textOf(schema);
    case 'number':
      return numbersOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'unknown':
      return fc.jsonValue();
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries));
    case 'nullable':
      return fc.option(valuesOf(def.innerType));
    case 'default':
    case 'optional':
      return valuesOf(def.innerType);
    case 'array':
      return fc.array(valuesOf(def.element), { maxLength: 3 });
    case 'tuple':
      return fc.tuple(...def.items.map(valuesOf));
    case 'union':
      return fc.oneof(...def.options.map(valuesOf));
    case 'record':
      return fc.dictionary(valuesOf(def.keyType).map(String), valuesOf(def.valueType), { noNullPrototype: true });
    case 'object': {
      const entries = Object.entries(def.shape);
      const requiredKeys = entries.filter(([, { _zod }]) => _zod.def.type !== 'optional').map(([name]) => name);
      const model = Object.fromEntries(entries.map(([name, member]) => [name, valuesOf(member)]));
      return fc.record(model, { requiredKeys, noNullPrototype: true });
    }
    default:
      throw new Error(`the test knows no values of ${def.type}`);
  }
}

/** From the schema's own range: nearly all numbers are outside of a percentage's. */
function numbersOf(schema: z.core.$ZodType): fc.Arbitrary<number> {
  const { minimum = 0, maximum = Number.POSITIVE_INFINITY } = (schema as z.core.$ZodTypes)._zod.bag as {
    readonly minimum?: number;
    readonly maximum?: number;
  };
  const range = { min: Math.max(0, Math.ceil(minimum)), max: Math.min(2 ** 31 - 1, Math.floor(maximum)) };
  return fc.integer(range).filter((value) => z.safeParse(schema, value).success);
}

const TEXTS = [
  ...Object.values(ID_PREFIXES).map((prefix) => `${prefix}_01890a5d-ac96-774b-bcce-b302099a8057`),
  ...[
    '',
    'x',
    'demo-1',
    '1.50',
    '-0.000024',
    'USD',
    '2026-02',
    `sha256:${'0a'.repeat(32)}`,
    'team.shop.order.placed.v1',
  ],
  ...['2026-02-28T10:00:00Z', '2024-02-29T23:59:59.123Z', 'skyrun.user.created.v1', '\u0000\ud83d\ude00'],
];

/** Those of the texts that the schema takes: fast-check cannot read every pattern backwards. */
function textOf(schema: z.core.$ZodType): fc.Arbitrary<string> {
  return fc.constantFrom(...TEXTS.filter((text) => z.safeParse(schema, text).success));
}

/** The same value with something else in one place: another value, nothing, or one key more. */
function disturbed(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(values, fc.array(fc.nat(), { maxLength: 4 }), fc.nat(3), fc.jsonValue())
    .map(([value, path, how, other]) => {
      const copy: unknown = structuredClone(value);
      let place: unknown = copy;
      for (const [depth, step] of path.entries()) {
        if (typeof place !== 'object' || place === null) break;
        const names = Object.keys(place);
        const name = names[step % Math.max(1, names.length)];
        if (name === undefined) break;
        const inner: unknown = Reflect.get(place, name);
        if (depth < path.length - 1 && typeof inner === 'object' && inner !== null) {
          place = inner;
          continue;
        }
        if (how === 0) Reflect.deleteProperty(place, name);
        else if (how === 1 && !Array.isArray(place)) Reflect.set(place, `${name}x`, other);
        else if (how === 2) Reflect.set(place, name, undefined);
        else Reflect.set(place, name, other);
        break;
      }
      return copy;
    });
}

const schemas = [
  ['the envelope', eventEnvelope] as const,
  ...Object.values(EVENTS).map(({ type, data }) => [type, data] as const),
];

test.each(schemas)('%s: what fits is what zod takes and leaves as it is', (_, schema) => {
  const fits = fitsOf(schema);
  expect(fits).not.toBeNull();
  const values = valuesOf(schema);
  // The quick way is one that good events really go.
  fc.assert(
    fc.property(values, (value) => {
      expect(fits?.(value)).toBe(true);
      expect(z.parse(schema, value)).toEqual(value);
    }),
    { numRuns: 20 },
  );
  fc.assert(
    fc.property(disturbed(values), (value) => {
      if (fits?.(value)) expect(z.parse(schema, value)).toStrictEqual(value);
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['a key too many', z.object({ a: z.string() }), { a: 'x', b: 1 }],
  ['a key without value', z.object({ a: z.string().optional() }), { a: undefined }],
  ['a missing default', z.object({ a: z.string().default('x') }), {}],
  ['a wrong type', z.object({ a: z.string() }), { a: 1 }],
  ['an inherited key', z.object({ a: z.string() }), Object.create({ a: 'x' })],
  ['a hole', z.array(z.int()), Array.of(1).concat(new Array(1))],
  ['an int that is none', z.int(), 1.5],
  ['infinity', z.number(), Number.POSITIVE_INFINITY],
  ['too small', z.int().min(0), -1],
  ['too large', z.number().max(5), 6],
  ['too short', z.string().min(1), ''],
  ['too long', z.array(z.int()).max(1), [1, 2]],
  ['another length', z.tuple([z.int(), z.int()]), [1]],
  ['no date', z.iso.datetime(), '2026-02-30T00:00:00Z'],
  ['a prototype for a key', z.record(z.string(), z.int()), JSON.parse('{"__proto__": 1}')],
])('%s does not fit', (_, schema, value) => expect(fitsOf(schema)?.(value)).toBe(false));

test.each([
  ['a transformation', z.string().transform(Number)],
  ['a condition in code', z.string().refine((text) => text !== 'x')],
  ['trimming', z.string().trim()],
  ['coercion', z.coerce.number()],
  ['a union of objects', z.union([z.object({ a: z.int() }), z.object({ b: z.int() })])],
  ['keys that all must be there', z.record(z.enum(['a', 'b']), z.int())],
  ['a pattern that remembers', z.string().regex(/x/g)],
  ['anything else allowed', z.looseObject({ a: z.string() })],
  ['something of that kind inside', z.object({ a: z.array(z.string().trim()) })],
])('%s is left to zod', (_, schema) => expect(fitsOf(schema)).toBeNull());
