import { EVENT_TYPES, EVENTS } from '../events/catalogue.ts';
import { type JsonSchema, jsonSchemas } from './schemas.ts';

/** A team's own type, as it was registered. */
export interface TeamChannel {
  readonly type: string;
  readonly version: number;
  readonly summary: string;
  readonly subject: string;
  readonly schema: object;
  /** Data that fits; null: none was given. */
  readonly example: unknown;
}

/** AsyncAPI 3.0 of the event catalogue: one channel and one message per type, CloudEvents 1.0 in structured JSON. */
export function asyncApiDocument(version: string, team: readonly TeamChannel[] = []): JsonSchema {
  const data = jsonSchemas(Object.fromEntries(EVENT_TYPES.map((type) => [type, EVENTS[type].data])), 'output');
  const channels: Record<string, JsonSchema> = {};
  const operations: Record<string, JsonSchema> = {};
  const messages: Record<string, JsonSchema> = {};
  const add = (channel: Omit<TeamChannel, 'version'>, more: JsonSchema) => {
    const { type, summary, subject, schema, example } = channel;
    const name = messageName(type);
    messages[name] = {
      name: type,
      title: summary,
      contentType: 'application/cloudevents+json',
      ...more,
      ...(example === null ? {} : { examples: [{ name: 'example', payload: { type, data: example } }] }),
      payload: {
        allOf: [
          { $ref: '#/components/schemas/CloudEvent' },
          {
            type: 'object',
            properties: { type: { const: type }, subject: { type: 'string', description: subject }, data: schema },
          },
        ],
      },
    };
    channels[name] = { address: type, title: summary, messages: { [name]: { $ref: `#/components/messages/${name}` } } };
    operations[`receive_${name}`] = { action: 'receive', channel: { $ref: `#/channels/${name}` }, summary };
  };
  for (const type of EVENT_TYPES) {
    const { summary, subject, retention } = EVENTS[type];
    add({ type, summary, subject, schema: data.byKey[type] ?? {}, example: null }, { 'x-retention': retention });
  }
  for (const { version: revision, ...channel } of team) {
    add(channel, { 'x-retention': 'history', 'x-schema-version': revision });
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Skyrun events',
      version,
      description:
        'Everything that happens in Skyrun. At least once to each consumer group, in order per subject; deduplicate by (source, id).',
    },
    defaultContentType: 'application/cloudevents+json',
    channels,
    operations,
    components: { messages, schemas: { CloudEvent: CLOUD_EVENT, ...data.components } },
  };
}

/** Team types keep their first word, so that none can take the name of one of the platform's. */
function messageName(type: string): string {
  return type
    .split('.')
    .slice(type.startsWith('team.') ? 0 : 1)
    .map((part) => part[0]?.toUpperCase() + part.slice(1))
    .join('');
}

const CLOUD_EVENT: JsonSchema = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'sequence', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string' },
    source: { type: 'string', description: 'the producing service' },
    type: { type: 'string' },
    subject: { type: 'string', description: 'the resource' },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
    project: { type: 'string', description: 'absent on events of the installation itself' },
    sequence: { type: 'integer', minimum: 0, description: 'grows by one per source and subject' },
    traceparent: { type: 'string', description: 'W3C Trace Context' },
    data: {},
  },
};
