import { z } from 'zod';
import type { Operation } from '../api/operation.ts';
import { ALL_OPERATIONS } from '../api/operations.ts';
import { PROBLEMS, type ProblemCode } from '../problem.ts';
import { type JsonSchema, jsonSchemas } from './schemas.ts';

/** OpenAPI 3.1 of every public operation; internal ones are no promise to anybody. */
export function openApiDocument(version: string): JsonSchema {
  const operations = ALL_OPERATIONS.filter(({ permission }) => permission !== 'internal');
  const requests = jsonSchemas(
    Object.fromEntries(
      operations.flatMap(({ id, params, query, body }) => [
        [`${id}_params`, params],
        [`${id}_query`, query],
        ...(body instanceof z.ZodUndefined ? [] : [[`${id}_body`, body] as const]),
      ]),
    ),
    'input',
  );
  const responses = jsonSchemas(
    Object.fromEntries(
      operations
        .filter(({ status, produces }) => status !== 204 && produces === undefined)
        .map(({ id, response }) => [id, response]),
    ),
    'output',
  );
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method] = describeOperation(operation, requests.byKey, responses.byKey);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skyrun',
      version,
      description: 'A self-hosted Cloud Run. Errors are RFC 9457 problem details; match on `code`, not on prose.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://localhost:8080' }],
    security: [{ bearer: [] }],
    tags: [...new Set(operations.map(({ service }) => service))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...jsonSchemas({}, 'output').components,
        ...problemComponent(),
        ...responses.components,
        ...requests.components,
      },
    },
  };
}

function problemComponent(): Record<string, JsonSchema> {
  return {
    Problem: {
      type: 'object',
      required: ['type', 'title', 'status', 'code'],
      properties: {
        type: { type: 'string', format: 'uri' },
        title: { type: 'string' },
        status: { type: 'integer' },
        code: { type: 'string', enum: Object.keys(PROBLEMS) },
        detail: { type: 'string', description: 'for a person: what to change' },
        instance: { type: 'string' },
        errors: {
          type: 'array',
          items: {
            type: 'object',
            required: ['field', 'message'],
            properties: { field: { type: 'string', description: 'a JSON pointer' }, message: { type: 'string' } },
          },
        },
      },
    },
  };
}

function describeOperation(
  operation: Operation,
  requests: Record<string, JsonSchema>,
  responses: Record<string, JsonSchema>,
): JsonSchema {
  const body = requests[`${operation.id}_body`];
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.service],
    'x-permission': operation.permission,
    ...(operation.permission === 'public' ? { security: [] } : {}),
    parameters: [
      ...parameters('path', requests[`${operation.id}_params`]),
      ...parameters('query', requests[`${operation.id}_query`]),
    ],
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } } : {}),
    ...(operation.rawBody
      ? {
          requestBody: {
            required: true,
            content: Object.fromEntries(
              operation.rawBody.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
            ),
          },
        }
      : {}),
    responses: { ...success(operation, responses[operation.id]), ...failures(operation) },
  };
}

function parameters(place: 'path' | 'query', schema: JsonSchema | undefined): JsonSchema[] {
  const properties = (schema?.['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = (schema?.['required'] ?? []) as string[];
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function success(operation: Operation, schema: JsonSchema | undefined): JsonSchema {
  if (operation.produces) {
    const live = operation.produces === 'text/event-stream';
    const schema = live ? { type: 'string' } : { type: 'string', format: 'binary' };
    const description = live ? 'Server-sent events' : 'A file';
    return { [operation.status]: { description, content: { [operation.produces]: { schema } } } };
  }
  if (!schema) return { [operation.status]: { description: 'Done' } };
  const type = operation.streaming ? 'application/x-ndjson' : 'application/json';
  const description = operation.streaming ? 'One object a line' : 'OK';
  return { [operation.status]: { description, content: { [type]: { schema } } } };
}

function failures(operation: Operation): JsonSchema {
  const always: ProblemCode[] =
    operation.permission === 'public' ? ['request.invalid'] : ['request.invalid', 'auth.required', 'auth.forbidden'];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...always, ...operation.problems]) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, codes]) => [status, { description: codes.join(', '), content }]),
  );
}
