import { type DataSchema, type SchemaIssue, type SchemaType, typesOf } from './schema.ts';

/**
 * What a new version of a schema must keep:
 * - `backward`: events written with the old version fit the new one, so consumers may go to it first;
 * - `forward`: events written with the new version fit the old one, so producers may go to it first;
 * - `full`: both; `none`: nothing.
 */
export const COMPATIBILITIES = ['backward', 'forward', 'full', 'none'] as const;
export type Compatibility = (typeof COMPATIBILITIES)[number];

/** Why the change is refused, with the place in the schema of each reason; empty: it is not. Both closed (`closed`). */
export function incompatibilities(kept: Compatibility, before: DataSchema, after: DataSchema): SchemaIssue[] {
  const backward = kept === 'backward' || kept === 'full' ? misfits(before, after, 'events of the version before') : [];
  const forward = kept === 'forward' || kept === 'full' ? misfits(after, before, 'events of the new version') : [];
  return [...backward, ...forward];
}

/**
 * Where a value that fits `from` may not fit `to`. Sound, not complete: without an issue every value fits; an issue may also be
 * raised where no value can show it (an impossible range, say).
 */
export function misfits(from: DataSchema, to: DataSchema, whose: string): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  compare(from, to, '', (path, message) => issues.push({ path, message }), whose);
  return issues;
}

type Report = (path: string, message: string) => void;

function compare(from: DataSchema, to: DataSchema, path: string, report: Report, whose: string): void {
  const lost = typesOf(from).filter((type) => !takesType(to, type));
  if (lost.length > 0) {
    report(
      `${path}/type`,
      `${whose} may hold ${lost.join(' or ')} here, which does not fit ${typesOf(to).join(' or ')}`,
    );
    return;
  }
  compareEnum(from, to, path, report, whose);
  if (to.format !== undefined && to.format !== from.format && may(from, 'string')) {
    report(`${path}/format`, `${whose} need not be a ${to.format}`);
  }
  for (const [lower, upper, type] of BOUNDS) {
    if (!type.some((one) => may(from, one))) continue;
    compareBound(from[lower], to[lower], (a, b) => a >= b, `${path}/${lower}`, report, whose);
    compareBound(from[upper], to[upper], (a, b) => a <= b, `${path}/${upper}`, report, whose);
  }
  if (may(from, 'array') && to.items) {
    if (from.items) compare(from.items, to.items, `${path}/items`, report, whose);
    else report(`${path}/items`, `${whose} may hold anything here`);
  }
  if (may(from, 'object')) compareObject(from, to, path, report, whose);
}

const BOUNDS = [
  ['minLength', 'maxLength', ['string']],
  ['minimum', 'maximum', ['number', 'integer']],
  ['minItems', 'maxItems', ['array']],
] as const;

function compareBound(
  from: number | undefined,
  to: number | undefined,
  within: (from: number, to: number) => boolean,
  path: string,
  report: Report,
  whose: string,
): void {
  if (to === undefined || (from !== undefined && within(from, to))) return;
  report(path, `${whose} are bound by ${from ?? 'nothing'} here, not by ${to}`);
}

function compareEnum(from: DataSchema, to: DataSchema, path: string, report: Report, whose: string): void {
  if (!to.enum) return;
  const taken = new Set(to.enum);
  if (!from.enum)
    report(
      `${path}/enum`,
      `${whose} may hold other values than ${to.enum.map((one) => JSON.stringify(one)).join(', ')}`,
    );
  else {
    const lost = from.enum.filter((value) => !taken.has(value));
    if (lost.length > 0)
      report(`${path}/enum`, `${whose} may hold ${lost.map((one) => JSON.stringify(one)).join(', ')}`);
  }
}

function compareObject(from: DataSchema, to: DataSchema, path: string, report: Report, whose: string): void {
  const [had, has] = [new Map(Object.entries(from.properties ?? {})), new Map(Object.entries(to.properties ?? {}))];
  const sure = new Set(from.required);
  for (const name of to.required ?? []) {
    if (!sure.has(name)) report(`${path}/required`, `${whose} may lack ${name}; make it optional`);
  }
  if (from.additionalProperties !== false && to.additionalProperties === false) {
    report(`${path}/additionalProperties`, `${whose} may hold fields that are not named`);
  }
  for (const [name, before] of had) {
    const after = has.get(name);
    if (after) compare(before, after, `${path}/properties/${name}`, report, whose);
    else if (to.additionalProperties === false) {
      report(`${path}/properties/${name}`, `${whose} may hold ${name}; keep it, optional if you like`);
    }
  }
  if (from.additionalProperties === false) return;
  for (const name of has.keys()) {
    if (!had.has(name)) report(`${path}/properties/${name}`, `${whose} may hold anything as ${name}, as they are open`);
  }
}

function may(schema: DataSchema, type: SchemaType): boolean {
  return typesOf(schema).includes(type);
}

function takesType(schema: DataSchema, type: SchemaType): boolean {
  return may(schema, type) || (type === 'integer' && may(schema, 'number'));
}
