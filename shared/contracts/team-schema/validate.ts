import { z } from 'zod';
import { type DataSchema, type FORMATS, type SchemaIssue, type SchemaType, typesOf } from './schema.ts';

const MAX_ISSUES = 20;

const FORMAT_CHECKS: Readonly<Record<(typeof FORMATS)[number], z.ZodType>> = {
  'date-time': z.iso.datetime({ offset: true }),
  date: z.iso.date(),
  uuid: z.guid(),
  email: z.email(),
  uri: z.url(),
};

/** What keeps data from fitting a schema, with the place of each; empty: it fits. */
export function dataIssues(schema: DataSchema, data: unknown): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  check(schema, data, '', (path, message) => {
    if (issues.length < MAX_ISSUES) issues.push({ path, message });
  });
  return issues;
}

type Report = (path: string, message: string) => void;

function check(schema: DataSchema, data: unknown, path: string, report: Report): void {
  const types = typesOf(schema);
  if (!types.some((type) => isOf(type, data))) {
    report(path, `expected ${types.join(' or ')}, got ${kindOf(data)}`);
    return;
  }
  if (schema.enum && !schema.enum.some((value) => value === data)) {
    report(path, `expected one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`);
    return;
  }
  if (typeof data === 'string') checkString(schema, data, path, report);
  else if (typeof data === 'number') checkRange(data, schema.minimum, schema.maximum, 'is', path, report);
  else if (Array.isArray(data)) checkArray(schema, data, path, report);
  else if (isRecord(data)) checkObject(schema, data, path, report);
}

function checkString(schema: DataSchema, data: string, path: string, report: Report): void {
  // JSON Schema counts characters, not UTF-16 units.
  checkRange([...data].length, schema.minLength, schema.maxLength, 'has a length of', path, report);
  if (schema.format && !FORMAT_CHECKS[schema.format].safeParse(data).success) report(path, `is no ${schema.format}`);
}

function checkArray(schema: DataSchema, data: readonly unknown[], path: string, report: Report): void {
  checkRange(data.length, schema.minItems, schema.maxItems, 'has a length of', path, report);
  const { items } = schema;
  if (!items) return;
  for (const [index, item] of data.entries()) check(items, item, `${path}/${index}`, report);
}

function checkObject(schema: DataSchema, data: Readonly<Record<string, unknown>>, path: string, report: Report): void {
  const properties = schema.properties ?? {};
  for (const name of schema.required ?? []) if (!Object.hasOwn(data, name)) report(`${path}/${name}`, 'is missing');
  for (const [name, value] of Object.entries(data)) {
    const child = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (child) check(child, value, `${path}/${name}`, report);
    else if (schema.additionalProperties === false) report(`${path}/${name}`, 'is not in the schema');
  }
}

function checkRange(
  value: number,
  min: number | undefined,
  max: number | undefined,
  verb: string,
  path: string,
  report: Report,
): void {
  if (min !== undefined && value < min) report(path, `${verb} ${value}, expected ${min} at least`);
  if (max !== undefined && value > max) report(path, `${verb} ${value}, expected ${max} at most`);
}

function isOf(type: SchemaType, data: unknown): boolean {
  switch (type) {
    case 'null':
      return data === null;
    case 'array':
      return Array.isArray(data);
    case 'object':
      return isRecord(data);
    case 'integer':
      return Number.isInteger(data);
    case 'number':
      return typeof data === 'number' && Number.isFinite(data);
    case 'string':
    case 'boolean':
      return typeof data === type;
  }
}

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function kindOf(data: unknown): string {
  if (data === undefined) return 'nothing';
  if (data === null) return 'null';
  return Array.isArray(data) ? 'array' : typeof data;
}
