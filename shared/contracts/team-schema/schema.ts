import { z } from 'zod';

/**
 * The part of JSON Schema 2020-12 that team events are described with. Small enough that "does every old event fit the new
 * schema?" has a sure answer, and without what a stranger could make a validator burn time with (`pattern`, `$ref`).
 */
export interface DataSchema {
  readonly type: SchemaType | readonly SchemaType[];
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly examples?: readonly unknown[] | undefined;
  readonly enum?: readonly (string | number | boolean | null)[] | undefined;
  readonly format?: (typeof FORMATS)[number] | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly items?: DataSchema | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly properties?: Readonly<Record<string, DataSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  /** As a registered schema has it always. Whether fields that are not named may come. */
  readonly additionalProperties?: boolean | undefined;
}

export const SCHEMA_TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
export type SchemaType = (typeof SCHEMA_TYPES)[number];
export const FORMATS = ['date-time', 'date', 'uuid', 'email', 'uri'] as const;

const MAX_DEPTH = 12;
const MAX_NODES = 500;

const schemaType = z.enum(SCHEMA_TYPES);
const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,79}$/, 'expected a letter, then letters, digits, "_" and "-"');
const size = z.int().min(0).max(1_000_000);

export const dataSchema: z.ZodType<DataSchema> = z.strictObject({
  type: z.union([schemaType, z.array(schemaType).min(1).max(SCHEMA_TYPES.length)]),
  title: z.string().max(200).optional(),
  description: z.string().max(2_000).optional(),
  examples: z.array(z.unknown()).max(20).optional(),
  enum: z
    .array(z.union([z.string().max(500), z.number(), z.boolean(), z.null()]))
    .min(1)
    .max(500)
    .optional(),
  format: z.enum(FORMATS).optional(),
  minLength: size.optional(),
  maxLength: size.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  get items() {
    return dataSchema.optional();
  },
  minItems: size.optional(),
  maxItems: size.optional(),
  get properties() {
    return z.record(fieldName, dataSchema).optional();
  },
  required: z.array(fieldName).max(500).optional(),
  additionalProperties: z.boolean().optional(),
});

export interface SchemaIssue {
  /** JSON pointer into the schema or the data, e.g. `/properties/total`. */
  readonly path: string;
  readonly message: string;
}

export function typesOf({ type }: DataSchema): readonly SchemaType[] {
  return typeof type === 'string' ? [type] : type;
}

/** What is wrong with a schema although each word of it is allowed; none: it may be registered. */
export function schemaIssues(schema: DataSchema): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  let nodes = 0;
  const visit = (node: DataSchema, path: string, depth: number) => {
    nodes += 1;
    if (depth > MAX_DEPTH) {
      issues.push({ path, message: `is nested deeper than ${MAX_DEPTH}` });
      return;
    }
    const types = typesOf(node);
    const properties = node.properties ?? {};
    for (const name of node.required ?? []) {
      if (!Object.hasOwn(properties, name))
        issues.push({ path: `${path}/required`, message: `names ${name}, which is not in properties` });
    }
    if (node.items !== undefined && !types.includes('array'))
      issues.push({ path: `${path}/items`, message: 'is for arrays' });
    if (node.properties !== undefined && !types.includes('object')) {
      issues.push({ path: `${path}/properties`, message: 'is for objects' });
    }
    for (const [name, child] of Object.entries(properties)) visit(child, `${path}/properties/${name}`, depth + 1);
    if (node.items) visit(node.items, `${path}/items`, depth + 1);
  };
  visit(schema, '', 0);
  if (typeof schema.type !== 'string' || schema.type !== 'object')
    issues.push({ path: '/type', message: 'the data of an event is an object' });
  if (nodes > MAX_NODES) issues.push({ path: '', message: `has more than ${MAX_NODES} parts` });
  return issues;
}

/** Says of every object whether fields that are not named may come; they may not unless the team says so. */
export function closed(schema: DataSchema): DataSchema {
  const properties = schema.properties
    ? Object.fromEntries(Object.entries(schema.properties).map(([name, child]) => [name, closed(child)]))
    : undefined;
  return {
    ...schema,
    ...(properties ? { properties } : {}),
    ...(schema.items ? { items: closed(schema.items) } : {}),
    ...(typesOf(schema).includes('object') ? { additionalProperties: schema.additionalProperties ?? false } : {}),
  };
}
