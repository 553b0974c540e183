import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { dnsLabel } from '../names.ts';
import { catalogueEntry, compatibility, eventSchema, schemaIssue, teamType } from '../resources/event-schema.ts';
import { dataSchema } from '../team-schema/schema.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const inProject = z.object({ project: dnsLabel });
const ofType = inProject.extend({ type: teamType });
const base = '/api/v1/projects/{project}/event-schemas';

const proposal = z.strictObject({
  summary: z.string().trim().min(1).max(200),
  subject: z.string().trim().min(1).max(200).describe('how the subject is written, e.g. orders/{id}'),
  schema: dataSchema.describe('JSON Schema of the data; fields it does not name are refused unless it says so'),
  compatibility: compatibility.optional().describe('default: as the version before, or backward'),
  example: z.unknown().optional().describe('data that fits the schema'),
});

/** The teams' own event types: a schema each, in versions that do not break who reads them; and publishing by HTTP. */
export const teamEventOperations = {
  registerEventSchema: defineOperation('registerEventSchema', {
    service: 'events',
    method: 'post',
    path: `${base}/{type}/versions`,
    summary: 'Register a version of a type’s schema; the newest one again changes nothing',
    permission: 'services.write',
    params: ofType,
    body: proposal,
    response: eventSchema,
    status: 201,
    problems: ['event.incompatible_schema'],
  }),
  checkEventSchema: defineOperation('checkEventSchema', {
    service: 'events',
    method: 'post',
    path: `${base}/{type}/check`,
    summary: 'Say whether a schema would be taken as the next version, and why not',
    permission: 'services.read',
    params: ofType,
    body: z.strictObject({ schema: dataSchema, compatibility: compatibility.optional() }),
    response: z.object({ compatible: z.boolean(), issues: z.array(schemaIssue) }),
  }),
  listEventSchemas: defineOperation('listEventSchemas', {
    service: 'events',
    method: 'get',
    path: base,
    summary: 'The newest schema of each of a project’s types, by type',
    permission: 'services.read',
    params: inProject,
    query: pageQuery,
    response: page(eventSchema),
  }),
  getEventSchema: defineOperation('getEventSchema', {
    service: 'events',
    method: 'get',
    path: `${base}/{type}`,
    summary: 'The schema of a type: the newest version, or the one asked for',
    permission: 'services.read',
    params: ofType,
    query: z.object({ version: z.coerce.number().int().min(1).optional() }),
    response: eventSchema,
    problems: ['resource.not_found'],
  }),
  listEventSchemaVersions: defineOperation('listEventSchemaVersions', {
    service: 'events',
    method: 'get',
    path: `${base}/{type}/versions`,
    summary: 'All versions of a type’s schema, newest first',
    permission: 'services.read',
    params: ofType,
    response: z.object({ items: z.array(eventSchema) }),
    problems: ['resource.not_found'],
  }),
  publishEvents: defineOperation('publishEvents', {
    service: 'events',
    method: 'post',
    path: '/api/v1/projects/{project}/events',
    summary: 'Publish events of the project’s own types: all of them or none, each checked against its schema',
    permission: 'services.write',
    params: inProject,
    body: z.strictObject({
      events: z
        .array(
          z.strictObject({
            id: z
              .string()
              .regex(/^[\w.:-]{1,100}$/, 'expected 1 to 100 letters, digits, or . _ : -')
              .optional()
              .describe('yours, unique per source: what is sent again under it within a day is not published twice'),
            type: teamType,
            subject: z.string().trim().min(1).max(300).describe('the resource; events of one subject keep their order'),
            data: z.unknown(),
            source: dnsLabel.default('api').describe('the producing service; shown as /team/<project>/<source>'),
            traceparent: z.string().max(100).optional(),
          }),
        )
        .min(1)
        .max(100),
    }),
    response: z.object({ items: z.array(eventEnvelope) }),
    status: 202,
    problems: ['event.unknown_type', 'event.invalid_data', 'request.idempotency_conflict'],
  }),
  getCatalogue: defineOperation('getCatalogue', {
    service: 'events',
    method: 'get',
    path: '/api/v1/projects/{project}/catalogue',
    summary: 'All event types that a project can consume, with schema, example and who consumes them',
    permission: 'services.read',
    params: inProject,
    response: z.object({ items: z.array(catalogueEntry) }),
  }),
  getAsyncApi: defineOperation('getAsyncApi', {
    service: 'events',
    method: 'get',
    path: '/api/v1/projects/{project}/asyncapi',
    summary: 'The catalogue as an AsyncAPI 3 document, the project’s own types included',
    permission: 'services.read',
    params: inProject,
    response: z.record(z.string(), z.unknown()),
  }),
};
