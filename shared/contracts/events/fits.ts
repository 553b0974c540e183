import type { z } from 'zod';

/** Whether a value is what its schema asks for already: `schema.parse(value)` would return an equal value. */
export type Fits = (value: unknown) => boolean;

type CheckDefinition = z.core.$ZodChecks['_zod']['def'];

/** Formats whose pattern is all that zod checks. */
const PATTERN_FORMATS = new Set(['regex', 'datetime']);
const PRIMITIVES = new Set(['string', 'number', 'boolean', 'null', 'literal', 'enum']);

/**
 * Most events fit their schema to the letter, and to be told so zod makes a copy of each and notes of what it saw. This makes
 * of a schema one function that only says yes, for the part of zod that events are described in; null for any other schema.
 *
 * A yes is certain: no key is unknown, no default is missing, nothing would be changed. Anything else is a no, which means
 * "ask zod": it drops, fills in, or says what is wrong.
 */
export function fitsOf(schema: z.core.$ZodType): Fits | null {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const checks = checksOf(schema, def.checks ?? []);
  const kind = checks && kindOf(def);
  if (!checks || !kind) return null;
  if (checks.length === 0) return kind;
  const [only] = checks;
  if (checks.length === 1 && only) return (value) => kind(value) && only(value);
  return (value) => kind(value) && checks.every((check) => check(value));
}

function kindOf(def: z.core.$ZodTypes['_zod']['def']): Fits | null {
  if ('coerce' in def && def.coerce) return null;
  switch (def.type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'number':
      return Number.isFinite;
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'null':
      return (value) => value === null;
    case 'unknown':
      return (value) => value !== undefined;
    case 'literal':
      return oneOf(def.values);
    case 'enum':
      return oneOf(Object.values(def.entries));
    case 'nullable':
      return map(fitsOf(def.innerType), (inner) => (value) => value === null || inner(value));
    // What is absent is zod's to fill in; an optional key is seen to by its object.
    case 'default':
    case 'optional':
      return fitsOf(def.innerType);
    case 'array':
      return map(fitsOf(def.element), (element) => (value) => Array.isArray(value) && all(value, element));
    case 'tuple':
      return def.rest ? null : tuple(def.items);
    case 'union':
      return union(def.options);
    case 'record':
      return def.keyType._zod.def.type === 'string' ? record(def.keyType, def.valueType) : null;
    case 'object':
      return def.catchall ? null : object(def.shape);
    default:
      return null;
  }
}

/** The conditions beside the type; null if one of them is not known here, or changes the value. */
function checksOf(schema: z.core.$ZodType, given: readonly z.core.$ZodCheck<never>[]): Fits[] | null {
  const checks: Fits[] = [];
  // A format such as z.int() or z.iso.datetime() is schema and check in one.
  for (const { def } of [schema._zod, ...given.map(({ _zod }) => _zod)]) {
    if (def === schema._zod.def && !('check' in def)) continue;
    const check = isCheck(def) ? checkOf(def) : null;
    if (!check) return null;
    checks.push(check);
  }
  return checks;
}

function isCheck(def: object): def is CheckDefinition {
  return 'check' in def;
}

function checkOf(def: CheckDefinition): Fits | null {
  switch (def.check) {
    case 'min_length':
      return (value) => lengthOf(value) >= def.minimum;
    case 'max_length':
      return (value) => lengthOf(value) <= def.maximum;
    case 'greater_than': {
      const { value: bound, inclusive } = def;
      return (value) => (inclusive ? Number(value) >= Number(bound) : Number(value) > Number(bound));
    }
    case 'less_than': {
      const { value: bound, inclusive } = def;
      return (value) => (inclusive ? Number(value) <= Number(bound) : Number(value) < Number(bound));
    }
    case 'number_format':
      return def.format === 'safeint' ? Number.isSafeInteger : null;
    case 'string_format': {
      const { pattern, format } = def;
      // A pattern that remembers where it stood would answer by turns.
      if (!pattern || pattern.global || pattern.sticky || !PATTERN_FORMATS.has(format)) return null;
      return (value) => typeof value === 'string' && pattern.test(value);
    }
    default:
      return null;
  }
}

/** Unlike `every`, it does not pass over holes. */
function all(values: readonly unknown[], fits: Fits): boolean {
  for (const value of values) if (!fits(value)) return false;
  return true;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : Number.NaN;
}

function oneOf(values: readonly unknown[]): Fits {
  const [only] = values;
  if (values.length === 1) return (value) => value === only;
  const known = new Set(values);
  return (value) => known.has(value);
}

function tuple(items: readonly z.core.$ZodType[]): Fits | null {
  const places = items.map(fitsOf).filter((place) => place !== null);
  if (places.length < items.length) return null;
  return (value) =>
    Array.isArray(value) && value.length === places.length && places.every((place, index) => place(value[index]));
}

/** zod takes the first option that can be made to fit, so only primitives, which fit or do not, may be asked in any order. */
function union(options: readonly z.core.$ZodType[]): Fits | null {
  if (!options.every((option) => PRIMITIVES.has(option._zod.def.type))) return null;
  const ways = options.map(fitsOf).filter((way) => way !== null);
  return ways.length < options.length ? null : (value) => ways.some((way) => way(value));
}

function record(key: z.core.$ZodType, element: z.core.$ZodType): Fits | null {
  return map(fitsOf(key), (keyFits) =>
    map(
      fitsOf(element),
      (elementFits) => (value) =>
        isPlain(value) &&
        Object.keys(value).every((name) => name !== '__proto__' && keyFits(name) && elementFits(value[name])),
    ),
  );
}

function object(shape: Readonly<Record<string, z.core.$ZodType>>): Fits | null {
  const members: { readonly name: string; readonly optional: boolean; readonly fits: Fits }[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const fits = fitsOf(schema);
    // A name that every object has would be found where it is not.
    if (!fits || name in Object.prototype) return null;
    members.push({ name, optional: schema._zod.def.type === 'optional', fits });
  }
  return (value) => {
    if (!isPlain(value)) return false;
    let found = 0;
    for (const { name, optional, fits } of members) {
      const member = value[name];
      if (member === undefined) {
        if (!optional) return false;
      } else if (fits(member)) found += 1;
      else return false;
    }
    // All found and no more: no key is unknown, and none is there without a value.
    return Object.keys(value).length === found;
  };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function map<From, To>(value: From | null, to: (value: From) => To | null): To | null {
  return value === null ? null : to(value);
}
