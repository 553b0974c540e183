import { createHash } from 'node:crypto';
import { KNATIVE_GROUP, KUBERNETES_API, knativeService } from '@skyrun/contracts';
import { z } from 'zod';
import { mappingSpec } from './domain-mapping.ts';
import { isObject, type Json, type JsonObject, objectAt, toJson } from './json.ts';
import { apiVersionOf, KINDS, type Kind, VERSIONS, type Version } from './kinds.ts';

/** OpenAPI as far as `kubectl` reads it: which patches there are, that fields are checked by us, and what `explain` prints. */

const METADATA: JsonObject = {
  type: 'object',
  description: 'name, namespace, labels, annotations and what the server writes',
  properties: {
    name: { type: 'string', description: 'unique in its namespace' },
    namespace: { type: 'string', description: 'the project' },
    labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'to select it by' },
    annotations: { type: 'object', additionalProperties: { type: 'string' }, description: 'notes of tools' },
    uid: { type: 'string', description: 'written by the server' },
    resourceVersion: { type: 'string', description: 'version of the last change, written by the server' },
    generation: { type: 'integer', description: 'how often the spec was changed, written by the server' },
    creationTimestamp: { type: 'string', format: 'date-time', description: 'written by the server' },
  },
};
const LIST_METADATA: JsonObject = { type: 'object', properties: { resourceVersion: { type: 'string' } } };

const ANY: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const PATCHES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];

const schemaName = ({ kind, version }: Pick<Kind, 'version'> & { readonly kind: string }) =>
  `dev.knative.serving.${version}.${kind}`;
const listOf = (kind: Kind) => ({ version: kind.version, kind: `${kind.kind}List` });

function objectSchema(kind: Kind): JsonObject {
  const spec = kind.kind === 'Service' ? serviceSpecSchema() : specOf(kind);
  return {
    type: 'object',
    description: DESCRIPTIONS[kind.kind],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: METADATA,
      spec,
      status: { ...ANY, description: 'what is, written by the server' },
    },
    'x-kubernetes-group-version-kind': [{ group: KNATIVE_GROUP, version: kind.version, kind: kind.kind }],
  };
}

const DESCRIPTIONS: Readonly<Record<Kind['kind'], string>> = {
  Service: 'A workload with a URL. Every change of its template makes a revision.',
  Configuration: 'What a service wants to run: its template and its newest revisions. Follows the service.',
  Route: 'Where a service answers and which revisions have its traffic. Follows the service.',
  Revision: 'An immutable snapshot of a template with its image pinned.',
  DomainMapping: 'A host of your own that leads to a service, once the DNS proves that it is yours.',
};

function serviceSpecSchema(): JsonObject {
  return objectAt(serviceSchema(), 'properties', 'spec');
}

function specOf(kind: Kind): JsonObject {
  if (kind.kind === 'DomainMapping') return openApi(mappingSpec);
  const spec = objectAt(serviceSpecSchema(), 'properties');
  if (kind.kind === 'Revision') return objectAt(spec, 'template', 'properties', 'spec');
  const field = kind.kind === 'Configuration' ? 'template' : 'traffic';
  return { type: 'object', properties: { [field]: spec[field] ?? {} } };
}

/** The same schema that checks a service, in OpenAPI's words. */
function serviceSchema(): JsonObject {
  return openApi(knativeService);
}

function openApi(schema: z.ZodType): JsonObject {
  const shape = toJson(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }));
  return objectOrEmpty(kubernetised(shape));
}

function objectOrEmpty(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

/** Kubernetes' own extensions: lists are replaced as a whole, quantities are numbers or texts. */
function kubernetised(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(kubernetised);
  if (!isObject(schema)) return schema;
  if (Array.isArray(schema['anyOf'])) return { 'x-kubernetes-int-or-string': true };
  const { additionalProperties, propertyNames: _names, $schema: _schema, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, kubernetised(value)]));
  return {
    ...inner,
    ...(isObject(additionalProperties) ? { additionalProperties: kubernetised(additionalProperties) } : {}),
    ...(schema['type'] === 'array' ? { 'x-kubernetes-list-type': 'atomic' } : {}),
  };
}

const query = (name: string, type: string, description: string): JsonObject => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});
const WRITE_PARAMETERS: JsonObject[] = [
  query('dryRun', 'string', 'All: check everything, change nothing'),
  query('fieldManager', 'string', 'who changes it'),
  query('fieldValidation', 'string', 'Ignore, Warn or Strict: what to do about unknown fields'),
];
const FORCE = query('force', 'boolean', 'take fields that other managers own');

function operation(kind: Kind, action: string, extra: JsonObject = {}): JsonObject {
  return {
    operationId: `${action}ServingKnativeDev${kind.version === 'v1' ? 'V1' : 'V1beta1'}${kind.kind}`,
    tags: [`servingKnativeDev_${kind.version}`],
    responses: {
      '200': {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } },
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: KNATIVE_GROUP, version: kind.version, kind: kind.kind },
    ...extra,
  };
}

function pathsOf(kind: Kind): JsonObject {
  const body = (types: readonly string[]): JsonObject => ({
    content: Object.fromEntries(
      types.map((type) => [type, { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } }]),
    ),
    required: true,
  });
  const collection = `/apis/${apiVersionOf(kind)}/namespaces/{namespace}/${kind.plural}`;
  const can = (verb: string) => kind.verbs.includes(verb);
  const json = body(['application/json']);
  return {
    [collection]: {
      get: operation(kind, 'list'),
      ...(can('create') ? { post: operation(kind, 'post', { parameters: WRITE_PARAMETERS, requestBody: json }) } : {}),
    },
    [`${collection}/{name}`]: {
      get: operation(kind, 'get'),
      ...(can('update') ? { put: operation(kind, 'put', { parameters: WRITE_PARAMETERS, requestBody: json }) } : {}),
      ...(can('patch')
        ? { patch: operation(kind, 'patch', { parameters: [...WRITE_PARAMETERS, FORCE], requestBody: body(PATCHES) }) }
        : {}),
      ...(can('delete') ? { delete: operation(kind, 'delete') } : {}),
    },
  };
}

function listSchema(kind: Kind): JsonObject {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: LIST_METADATA,
      items: { type: 'array', items: { $ref: `#/components/schemas/${schemaName(kind)}` } },
    },
    'x-kubernetes-group-version-kind': [{ group: KNATIVE_GROUP, version: kind.version, kind: `${kind.kind}List` }],
  };
}

const INFO: JsonObject = { title: 'Skyrun', version: 'v1' };

/** `/openapi/v3/apis/serving.knative.dev/v1`, and `v1beta1` */
export function servingDocument(version: Version): JsonObject {
  const kinds = KINDS.filter((kind) => kind.version === version);
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: Object.assign({}, ...kinds.map(pathsOf)) as JsonObject,
    components: {
      schemas: Object.fromEntries(
        kinds.flatMap((kind) => [
          [schemaName(kind), objectSchema(kind)],
          [schemaName(listOf(kind)), listSchema(kind)],
        ]),
      ),
    },
  };
}

/** `/openapi/v3/api/v1` */
export function coreDocument(): JsonObject {
  const gvk = { group: '', version: 'v1', kind: 'Namespace' };
  const schema = { $ref: '#/components/schemas/io.k8s.api.core.v1.Namespace' };
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: {
      '/api/v1/namespaces': {
        post: {
          operationId: 'createCoreV1Namespace',
          parameters: WRITE_PARAMETERS,
          requestBody: { content: { 'application/json': { schema } }, required: true },
          responses: { '201': { description: 'Created', content: { 'application/json': { schema } } } },
          'x-kubernetes-action': 'post',
          'x-kubernetes-group-version-kind': gvk,
        },
      },
    },
    components: {
      schemas: {
        'io.k8s.api.core.v1.Namespace': {
          type: 'object',
          description: 'A project: it owns services, images, usage and invoices.',
          properties: {
            apiVersion: { type: 'string' },
            kind: { type: 'string' },
            metadata: METADATA,
            spec: ANY,
            status: ANY,
          },
          'x-kubernetes-group-version-kind': [gvk],
        },
      },
    },
  };
}

/** `/openapi/v3`: where the documents are; the hash lets clients keep them for as long as they are the same. */
export function documentIndex(): JsonObject {
  const entry = (path: string, document: JsonObject): [string, JsonObject] => {
    const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex').toUpperCase();
    return [path, { serverRelativeURL: `${KUBERNETES_API.path}/openapi/v3/${path}?hash=${hash}` }];
  };
  return {
    paths: Object.fromEntries([
      entry('api/v1', coreDocument()),
      ...VERSIONS.map((version) => entry(`apis/${KNATIVE_GROUP}/${version}`, servingDocument(version))),
    ]),
  };
}

/** `/openapi/v2`, for clients that know no other. */
export function swaggerDocument(): JsonObject {
  const rewritten = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(rewritten);
    if (typeof value === 'string') return value.replace('#/components/schemas/', '#/definitions/');
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rewritten(inner)]));
  };
  const documents = [coreDocument(), ...VERSIONS.map(servingDocument)];
  const schemas = documents.map((document) => objectAt(document, 'components', 'schemas'));
  return { swagger: '2.0', info: INFO, paths: {}, definitions: rewritten(Object.assign({}, ...schemas) as JsonObject) };
}
