import { isDeepStrictEqual } from 'node:util';
import {
  type Compatibility,
  closed,
  type DataSchema,
  dataIssues,
  type EventSchema,
  type FieldError,
  incompatibilities,
  Problem,
  parseTeamType,
  type SchemaIssue,
  schemaIssues,
} from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import type { Db, EventsTables } from '../store/tables.ts';
import { insertSchema, lockType, newestSchema, newestSchemas, schemaVersions } from './store.ts';

/** Different types of one project; a mistake in a loop must not fill the catalogue. */
const MAX_TYPES = 500;

export interface SchemasDeps {
  readonly db: Db;
  readonly transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
}

export interface SchemaDraft {
  readonly summary: string;
  readonly subject: string;
  readonly schema: DataSchema;
  readonly compatibility?: Compatibility | undefined;
  readonly example?: unknown;
}

/** The registry of the teams' event types: a version is kept for ever and never changes. */
export function createSchemas({ db, transaction, clock }: SchemasDeps) {
  return {
    async register(project: string, type: string, draft: SchemaDraft, by: string): Promise<EventSchema> {
      requireOwn(project, type);
      const schema = sound(draft.schema);
      const misfit = draft.example === undefined ? undefined : dataIssues(schema, draft.example)[0];
      if (misfit) invalid(`/example${misfit.path}`, misfit.message);
      return transaction(async (tx) => {
        const inside = tx.kysely<EventsTables>();
        await lockType(inside, type);
        const before = await newestSchema(inside, type);
        const compatibility = draft.compatibility ?? before?.compatibility ?? 'backward';
        if (before && isSame(before, { ...draft, schema, compatibility })) return before;
        if (before) requireCompatible(compatibility, before, schema);
        else await requireRoom(inside, project);
        const made = await insertSchema(inside, {
          ...draft,
          type,
          project,
          schema,
          compatibility,
          version: (before?.version ?? 0) + 1,
          registeredBy: by,
          now: clock.now(),
        });
        const data = { project, type, version: made.version, compatibility };
        const told = { type: 'skyrun.schema.registered.v1', subject: `schemas/${type}`, project, data } as const;
        await appendEvents(tx, 'events', [told], clock);
        return made;
      });
    },

    async check(
      project: string,
      type: string,
      { schema, compatibility }: Pick<SchemaDraft, 'schema' | 'compatibility'>,
    ) {
      requireOwn(project, type);
      const before = await newestSchema(db, type);
      const unsound = schemaIssues(schema);
      const kept = compatibility ?? before?.compatibility ?? 'backward';
      const issues = unsound.length > 0 || !before ? unsound : incompatibilities(kept, before.schema, closed(schema));
      return { compatible: issues.length === 0, issues };
    },

    async list(project: string, { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined }) {
      const found = await newestSchemas(db, { project, after: cursor, limit });
      const items = found.slice(0, limit);
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.type ?? null) : null };
    },

    async get(project: string, type: string, version?: number): Promise<EventSchema> {
      requireOwn(project, type);
      const found =
        version === undefined
          ? await newestSchema(db, type)
          : (await schemaVersions(db, type)).find((one) => one.version === version);
      return found ?? missing(type, version);
    },

    async versions(project: string, type: string): Promise<EventSchema[]> {
      requireOwn(project, type);
      const found = await schemaVersions(db, type);
      return found.length > 0 ? found : missing(type);
    },
  };
}

export type Schemas = ReturnType<typeof createSchemas>;

/** @throws Problem `request.invalid` for a type in another project's namespace */
export function requireOwn(project: string, type: string): void {
  if (parseTeamType(type)?.project === project) return;
  invalid(
    '#path/type',
    `${type} is not in the namespace of ${project}; expected team.${project}.<noun>.<past-verb>.v<n>`,
  );
}

function sound(schema: DataSchema): DataSchema {
  const issues = schemaIssues(schema);
  if (issues.length > 0) {
    throw new Problem('request.invalid', {
      detail: issues.map(({ path, message }) => `schema${path} ${message}`).join('; '),
      errors: issues.map(({ path, message }) => ({ field: `/schema${path}`, message })),
    });
  }
  return closed(schema);
}

function isSame(before: EventSchema, draft: SchemaDraft): boolean {
  // As it comes back from the database: without what is undefined.
  const seen = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
  const pick = ({ summary, subject, schema, compatibility, example }: SchemaDraft) =>
    seen({ summary, subject, schema, compatibility, example: example ?? null });
  return isDeepStrictEqual(pick(before), pick(draft));
}

function requireCompatible(compatibility: Compatibility, before: EventSchema, schema: DataSchema): void {
  const issues = incompatibilities(compatibility, before.schema, schema);
  if (issues.length === 0) return;
  const next = before.type.replace(/\d+$/, (version) => String(Number(version) + 1));
  throw new Problem('event.incompatible_schema', {
    detail: `not ${compatibility} compatible with version ${before.version}: ${issues.map(sentence).join('; ')}. Publish it as ${next}, or keep what is named`,
    errors: issues.map(({ path, message }): FieldError => ({ field: `/schema${path}`, message })),
  });
}

const sentence = ({ path, message }: SchemaIssue) => `${path}: ${message}`;

async function requireRoom(db: Db, project: string): Promise<void> {
  const { count } = await db
    .selectFrom('event_schemas')
    .select((expression) => expression.fn.count<string>('type').distinct().as('count'))
    .where('project', '=', project)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MAX_TYPES)
    invalid('#path/type', `${project} has ${MAX_TYPES} types, which is the most there may be`);
}

function invalid(field: string, message: string): never {
  throw new Problem('request.invalid', { detail: `${field}: ${message}`, errors: [{ field, message }] });
}

function missing(type: string, version?: number): never {
  const what = version === undefined ? type : `${type} in version ${version}`;
  throw new Problem('resource.not_found', { detail: `no schema of ${what} is registered` });
}
