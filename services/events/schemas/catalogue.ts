import {
  asyncApiDocument,
  type CatalogueEntry,
  EVENT_TYPES,
  EVENTS,
  type EventConsumer,
  type EventEnvelope,
  eventEnvelope,
  type JsonSchema,
  jsonSchemas,
  type PushFilter,
} from '@skyrun/contracts';
import { type Clock, isoTime } from '@skyrun/kit';
import { consumes, type KnownGroup } from '../consumers/groups.ts';
import type { Db } from '../store/tables.ts';
import { newestSchemas } from './store.ts';

/** Most types of one project that are shown. */
const MAX_TYPES = 500;
const VERSION = '0.1.0';

export interface CatalogueDeps {
  readonly db: Db;
  readonly groups: { list(): Promise<readonly KnownGroup[]> };
  /** The push subscriptions of a project. */
  readonly subscriptions: (
    project: string,
  ) => Promise<readonly { readonly name: string; readonly filter: PushFilter }[]>;
  readonly clock: Clock;
}

/** What there is to consume in a project, and who does. */
export function createCatalogue({ db, groups, subscriptions, clock }: CatalogueDeps) {
  const platformSchemas = jsonSchemas(
    Object.fromEntries(EVENT_TYPES.map((type) => [type, EVENTS[type].data])),
    'output',
  );

  /** The newest event of each type that the project has had. */
  async function examples(project: string): Promise<ReadonlyMap<string, EventEnvelope>> {
    const rows = await db
      .selectFrom('log')
      .distinctOn('type')
      .select('event')
      .where('project', '=', project)
      .where('time', '>', new Date(clock.now() - EXAMPLES_MS))
      .orderBy('type')
      .orderBy('time', 'desc')
      .execute();
    return new Map(rows.map(({ event }) => eventEnvelope.parse(event)).map((event) => [event.type, event]));
  }

  async function consumersOf(project: string) {
    const [known, pushes] = await Promise.all([groups.list(), subscriptions(project)]);
    // Other teams' groups are none of this project's business.
    const visible = known.filter((group) => group.project === null || group.project === project);
    return (type: string): EventConsumer[] => [
      ...visible
        .filter(({ types }) => consumes(types, type))
        .map((group) => ({ kind: 'group' as const, name: group.name, project: group.project, seenAt: group.seenAt })),
      ...pushes
        .filter(({ filter }) => filter.types.length === 0 || consumes(filter.types, type))
        .map(({ name }) => ({ kind: 'subscription' as const, name, project, seenAt: null })),
    ];
  }

  return {
    async entries(project: string): Promise<CatalogueEntry[]> {
      const [own, seen, consumers] = await Promise.all([
        newestSchemas(db, { project, limit: MAX_TYPES }),
        examples(project),
        consumersOf(project),
      ]);
      const teams = own.map((schema): CatalogueEntry => {
        const { type, summary, subject, version } = schema;
        const example = seen.get(type) ?? (schema.example === null ? null : made(schema, clock));
        const shape = { ...schema.schema } as Record<string, unknown>;
        return {
          type,
          summary,
          subject,
          retention: 'history',
          version,
          schema: shape,
          example,
          consumers: consumers(type),
        };
      });
      const platform = EVENT_TYPES.map((type): CatalogueEntry => {
        const { summary, subject, retention } = EVENTS[type];
        const schema = inlined(platformSchemas.byKey[type] ?? {}, platformSchemas.components);
        return {
          type,
          summary,
          subject,
          retention,
          version: null,
          schema,
          example: seen.get(type) ?? null,
          consumers: consumers(type),
        };
      });
      return [...teams, ...platform];
    },

    async asyncApi(project: string): Promise<JsonSchema> {
      return asyncApiDocument(VERSION, await newestSchemas(db, { project, limit: MAX_TYPES }));
    },
  };
}

export type Catalogue = ReturnType<typeof createCatalogue>;

const EXAMPLES_MS = 7 * 86_400_000;

function made(
  { type, project, subject, example }: { type: string; project: string; subject: string; example?: unknown },
  clock: Clock,
): EventEnvelope {
  return {
    specversion: '1.0',
    id: 'evt_example',
    source: `/team/${project}/example`,
    type,
    subject,
    time: isoTime(clock.now()),
    datacontenttype: 'application/json',
    project,
    sequence: 0,
    data: example,
  };
}

/** The schema with what it refers to beside it, so that it can be read alone. */
function inlined(schema: JsonSchema, components: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const text = JSON.stringify(schema);
  const used = Object.entries(components).filter(([name]) => text.includes(`#/components/schemas/${name}"`));
  return used.length === 0 ? schema : { ...schema, components: { schemas: Object.fromEntries(used) } };
}
