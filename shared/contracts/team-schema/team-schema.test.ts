import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { incompatibilities, misfits } from './compatible.ts';
import { closed, type DataSchema, dataSchema, schemaIssues } from './schema.ts';
import { typeScriptOf } from './typescript.ts';
import { dataIssues } from './validate.ts';

const order: DataSchema = {
  type: 'object',
  properties: {
    total: { type: 'integer', minimum: 0 },
    currency: { type: 'string', enum: ['EUR', 'USD'] },
    note: { type: ['string', 'null'], maxLength: 5 },
    items: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] } },
  },
  required: ['total', 'currency'],
};
const before = closed(order);
const withProperty = (name: string, schema: DataSchema, more: Partial<DataSchema> = {}) =>
  closed({ ...order, properties: { ...order.properties, [name]: schema }, ...more });

describe('data', () => {
  test.each<[string, unknown, string[]]>([
    ['what is required', { total: 1, currency: 'EUR' }, []],
    ['all of it', { total: 0, currency: 'USD', note: null, items: [{ sku: 'a' }] }, []],
    ['a missing field', { total: 1 }, ['/currency: is missing']],
    ['another type', { total: '1', currency: 'EUR' }, ['/total: expected integer, got string']],
    ['a fraction', { total: 1.5, currency: 'EUR' }, ['/total: expected integer, got number']],
    ['a value below', { total: -1, currency: 'EUR' }, ['/total: is -1, expected 0 at least']],
    ['another value', { total: 1, currency: 'DM' }, ['/currency: expected one of "EUR", "USD"']],
    ['a field nobody named', { total: 1, currency: 'EUR', x: 1 }, ['/x: is not in the schema']],
    ['a place deep inside', { total: 1, currency: 'EUR', items: [{ sku: 'a' }, {}] }, ['/items/1/sku: is missing']],
    ['characters, not UTF-16 units', { total: 1, currency: 'EUR', note: '😀😀😀😀😀' }, []],
    ['no object', [], [': expected object, got array']],
    [
      'what objects inherit',
      JSON.parse('{"total":1,"currency":"EUR","__proto__":1}'),
      ['/__proto__: is not in the schema'],
    ],
  ])('%s', (_name, data, expected) => {
    expect(dataIssues(before, data).map(({ path, message }) => `${path}: ${message}`)).toEqual(expected);
  });

  test.each(['date-time', 'date', 'uuid', 'email', 'uri'] as const)('a %s is checked', (format) => {
    const good = {
      'date-time': '2026-01-01T00:00:00Z',
      date: '2026-01-31',
      uuid: '01890a5d-ac96-774b-bcce-b302099a8057',
      email: 'a@b.cc',
      uri: 'https://a.b/c',
    };
    expect(dataIssues({ type: 'string', format }, good[format])).toEqual([]);
    expect(dataIssues({ type: 'string', format }, 'nope')).toHaveLength(1);
  });
});

describe('a change is refused with the place', () => {
  test.each<[string, DataSchema, string[], string[]]>([
    ['an optional field more', withProperty('coupon', { type: 'string' }), [], ['/properties/coupon']],
    [
      'a required field more',
      withProperty('coupon', { type: 'string' }, { required: ['total', 'currency', 'coupon'] }),
      ['/required'],
      ['/properties/coupon'],
    ],
    [
      'a field less',
      closed({
        ...order,
        properties: { total: { type: 'integer', minimum: 0 }, currency: { type: 'string', enum: ['EUR', 'USD'] } },
      }),
      ['/properties/note', '/properties/items'],
      [],
    ],
    [
      'a narrower type',
      closed({ ...order, properties: { ...order.properties, note: { type: 'string' } } }),
      ['/properties/note/type'],
      ['/properties/note/maxLength'],
    ],
    ['a wider number', withProperty('total', { type: 'number', minimum: 0 }), [], ['/properties/total/type']],
    ['a narrower number', withProperty('total', { type: 'integer', minimum: 1 }), ['/properties/total/minimum'], []],
    [
      'a value more',
      withProperty('currency', { type: 'string', enum: ['EUR', 'USD', 'GBP'] }),
      [],
      ['/properties/currency/enum'],
    ],
    [
      'a format',
      withProperty('currency', { type: 'string', enum: ['EUR', 'USD'], format: 'uri' }),
      ['/properties/currency/format'],
      [],
    ],
    [
      'deep inside',
      withProperty('items', { type: 'array', items: { type: 'object', properties: { sku: { type: 'integer' } } } }),
      ['/properties/items/items/properties/sku/type'],
      ['/properties/items/items/required', '/properties/items/items/properties/sku/type'],
    ],
    ['open', closed({ ...order, additionalProperties: true }), [], ['/additionalProperties']],
    ['only words', closed({ ...order, description: 'An order' }), [], []],
  ])('%s', (_name, after, backward, forward) => {
    expect(incompatibilities('backward', before, after).map(({ path }) => path)).toEqual(backward);
    expect(incompatibilities('forward', before, after).map(({ path }) => path)).toEqual(forward);
    expect(incompatibilities('full', before, after).map(({ path }) => path)).toEqual([...backward, ...forward]);
    expect(incompatibilities('none', before, after)).toEqual([]);
  });

  const leaf: fc.Arbitrary<DataSchema> = fc.oneof(
    fc.record({
      type: fc.constantFrom('integer' as const, 'number' as const),
      minimum: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
      maximum: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
    }),
    fc.record({
      type: fc.constant('string' as const),
      maxLength: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      enum: fc.option(fc.uniqueArray(fc.constantFrom('a', 'b', 'abcd'), { minLength: 1 }), { nil: undefined }),
    }),
    fc.record({ type: fc.constantFrom<DataSchema['type']>(['string', 'null'], 'boolean', ['integer', 'null']) }),
  );
  const { node } = fc.letrec<{ node: DataSchema }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.record({
        type: fc.constant('array' as const),
        items: fc.option(tie('node'), { nil: undefined }),
        minItems: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
      }),
      fc.record({
        type: fc.constant('object' as const),
        properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('node'), { maxKeys: 2 }),
        required: fc.subarray(['a', 'b']),
        additionalProperties: fc.boolean(),
      }),
    ),
  }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, -2, 0, 1.5, 2, '', 'a', 'b', 'abcd'),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    ),
  }));

  it('never lets a change pass that an old event does not survive', () => {
    let told = 0;
    fc.assert(
      fc.property(node, node, fc.array(value, { minLength: 5, maxLength: 20 }), (from, to, values) => {
        const [a, b] = [closed(from), closed(to)];
        if (misfits(a, b, 'x').length > 0) return;
        for (const one of values) {
          if (dataIssues(a, one).length > 0) continue;
          told += 1;
          expect(dataIssues(b, one)).toEqual([]);
        }
      }),
      { numRuns: 12_000 },
    );
    expect(told).toBeGreaterThan(100);
  });

  it('a schema is compatible with itself', () => {
    fc.assert(fc.property(node, (schema) => misfits(closed(schema), closed(schema), 'x').length === 0));
  });
});

describe('a schema', () => {
  test.each<[string, unknown]>([
    ['what could burn time', { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } }],
    ['a reference', { type: 'object', properties: { a: { $ref: 'https://elsewhere/schema' } } }],
    ['an unknown type', { type: 'thing' }],
    ['a field no name can be', { type: 'object', properties: { 'a b': { type: 'string' } } }],
  ])('refuses %s', (_name, schema) => {
    expect(dataSchema.safeParse(schema).success).toBe(false);
  });

  test.each<[string, DataSchema, string]>([
    ['that requires what it does not name', { type: 'object', required: ['a'] }, '/required'],
    ['of something else than an object', { type: 'string' }, '/type'],
    ['with items of no array', { type: 'object', items: { type: 'string' } }, '/items'],
  ])('%s has an issue', (_name, schema, path) => {
    expect(schemaIssues(schema).map((issue) => issue.path)).toEqual([path]);
  });
});

it('becomes types', () => {
  const text = typeScriptOf([{ type: 'team.shop.order.placed.v1', summary: 'An order', schema: before }]);
  expect(text).toContain('"team.shop.order.placed.v1": {');
  expect(text).toContain('readonly "currency": "EUR" | "USD";');
  expect(text).toContain('readonly "note"?: string | null;');
  expect(text).toContain('readonly "items"?: readonly ({');
});
