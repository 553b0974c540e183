import {
  type Compatibility,
  type DataSchema,
  dataIssues,
  type EventSchema,
  InvalidEventError,
  OPERATIONS,
  parseTeamType,
} from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';

/** How a type is described. */
export interface TypeDescription {
  readonly summary: string;
  /** How the subject is written, e.g. `orders/{id}`. */
  readonly subject: string;
  /** JSON Schema of the data; fields it does not name are refused. */
  readonly schema: DataSchema;
  readonly compatibility?: Compatibility;
  readonly example?: unknown;
}

/** Registered schemas as this process knows them: asked for once, then remembered. */
export function createSchemaBook(client: Client, project: string) {
  const known = new Map<string, Promise<EventSchema>>();

  function schemaOf(type: string): Promise<EventSchema> {
    const asked = known.get(type);
    if (asked) return asked;
    const asking = client.call(OPERATIONS.getEventSchema, { params: { project, type } });
    known.set(type, asking);
    // A type that is registered later must be found then.
    asking.catch(() => known.delete(type));
    return asking;
  }

  return {
    /** @throws Problem `event.incompatible_schema` naming the place */
    async describe(type: string, description: TypeDescription): Promise<EventSchema> {
      const body = { ...description };
      const made = await client.call(OPERATIONS.registerEventSchema, { params: { project, type }, body });
      known.set(type, Promise.resolve(made));
      return made;
    },
    /** @throws InvalidEventError before anything is sent */
    async require(type: string, data: unknown): Promise<void> {
      if (parseTeamType(type)?.project !== project) {
        throw new InvalidEventError('unknown_type', type, `expected a type in team.${project}.*`);
      }
      const issues = dataIssues((await schemaOf(type)).schema, data);
      if (issues.length === 0) return;
      const detail = issues.map(({ path, message }) => `data${path} ${message}`).join('; ');
      throw new InvalidEventError('invalid_data', type, detail);
    },
  };
}
