import {
  isServiceAnnotation,
  KNATIVE_VERSION,
  knativeService,
  kubernetesAnnotations,
  kubernetesLabels,
  type ServiceSpec,
  toServiceSpec,
  UNSUPPORTED,
} from '@skyrun/contracts';
import { isObject, type Json, type JsonObject, objectAt, textAt, texts } from './json.ts';
import { fromManagedFields, type Manager } from './managed-fields.ts';
import { badRequest, type Cause, invalid } from './status.ts';

/** What to do about a field that we do not know. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A Knative Service as somebody sent it, read and checked. */
export interface Manifest {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  /** Null where none were sent. */
  readonly managers: readonly Manager[] | null;
  readonly resourceVersion: string | undefined;
  readonly uid: string | undefined;
  readonly warnings: readonly string[];
}

/** Fields of metadata that are read here or written by a server. */
const METADATA = [
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'managedFields',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
];

/** @throws StatusError 400 for what is not such an object or, with `Strict`, has unknown fields; 422 for wrong values */
export function readManifest(
  body: unknown,
  options: { readonly project: string; readonly name: string | null; readonly validation: FieldValidation },
): Manifest {
  const { project, validation } = options;
  if (!isObject(body)) throw badRequest('the body is not an object');
  requireKind(body);
  const metadata = objectAt(body, 'metadata');
  const namespace = textAt(metadata, 'namespace');
  if (namespace !== undefined && namespace !== '' && namespace !== project) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${namespace}, ${project})`,
    );
  }
  const name = textAt(metadata, 'name') ?? options.name ?? '';
  if (options.name !== null && name !== options.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${options.name})`);
  }
  const about = { resource: 'services', name };
  const causes = [...metadataCauses(metadata), ...(name === '' ? [cause('metadata.name', 'is required')] : [])];
  if (causes.length > 0) throw invalid(about, causes);
  const [ours, theirs] = byOwner(texts(objectAt(metadata, 'annotations')));
  const stripped: JsonObject = {
    apiVersion: KNATIVE_VERSION,
    kind: 'Service',
    metadata: { name, namespace: project, ...(Object.keys(ours).length === 0 ? {} : { annotations: ours }) },
    spec: withoutServerFields(body['spec'] ?? {}),
  };
  const { object, unknown } = withoutUnknown(stripped);
  const everyUnknown = [
    ...Object.keys(metadata)
      .filter((key) => !METADATA.includes(key) && key !== 'finalizers' && key !== 'ownerReferences')
      .map((key) => `metadata.${key}`),
    ...unknown,
  ];
  if (everyUnknown.length > 0 && validation === 'Strict') {
    throw badRequest(`strict decoding error: ${everyUnknown.map((field) => `unknown field "${field}"`).join(', ')}`);
  }
  const { spec, warnings } = toServiceSpec(object);
  return {
    name,
    spec,
    labels: texts(objectAt(metadata, 'labels')),
    annotations: theirs,
    managers: fromManagedFields(metadata['managedFields']),
    resourceVersion: notEmpty(textAt(metadata, 'resourceVersion')),
    uid: notEmpty(textAt(metadata, 'uid')),
    warnings: [...warnings, ...(validation === 'Warn' ? everyUnknown.map((field) => `unknown field "${field}"`) : [])],
  };
}

/** Annotations that say something of the spec, and those that are only kept. */
function byOwner(annotations: Record<string, string>): [Record<string, string>, Record<string, string>] {
  const entries = Object.entries(annotations);
  return [
    Object.fromEntries(entries.filter(([name]) => isServiceAnnotation(name))),
    Object.fromEntries(entries.filter(([name]) => !isServiceAnnotation(name))),
  ];
}

function requireKind(body: JsonObject): void {
  if (body['apiVersion'] !== KNATIVE_VERSION) {
    throw badRequest(
      `the API version in the data (${String(body['apiVersion'] ?? '')}) does not match the expected API version (${KNATIVE_VERSION})`,
    );
  }
  if (body['kind'] !== 'Service') {
    throw badRequest(`the kind in the data (${String(body['kind'] ?? '')}) does not match the expected kind (Service)`);
  }
}

const cause = (field: string, message: string): Cause => ({ reason: 'FieldValueInvalid', field, message });

function metadataCauses(metadata: JsonObject): Cause[] {
  const causes: Cause[] = [];
  for (const [field, schema] of [
    ['labels', kubernetesLabels],
    ['annotations', kubernetesAnnotations],
  ] as const) {
    const checked = schema.safeParse(metadata[field] ?? {});
    for (const { path, message } of checked.error?.issues ?? []) {
      causes.push(cause(`metadata.${field}${path.map((part) => `[${String(part)}]`).join('')}`, message));
    }
  }
  for (const key of Object.keys(objectAt(metadata, 'annotations'))) {
    if (key.startsWith('autoscaling.knative.dev/')) {
      causes.push(cause(`metadata.annotations[${key}]`, 'belongs to spec.template.metadata.annotations'));
    }
  }
  for (const field of ['finalizers', 'ownerReferences']) {
    const value = metadata[field];
    if (Array.isArray(value) && value.length > 0) causes.push(cause(`metadata.${field}`, 'is not supported'));
  }
  return causes;
}

/** `traffic[].url` is a server's; clients send it back. */
function withoutServerFields(spec: Json): Json {
  if (!isObject(spec) || !Array.isArray(spec['traffic'])) return spec;
  const traffic = spec['traffic'].map((target) => {
    if (!isObject(target)) return target;
    const { url: _, ...rest } = target;
    return rest;
  });
  return { ...spec, traffic };
}

/** Takes away the fields that nobody knows. Those that we know and do not support stay, to be refused by name. */
function withoutUnknown(given: JsonObject): { object: JsonObject; unknown: string[] } {
  const object = structuredClone(given);
  const unknown: string[] = [];
  const checked = knativeService.safeParse(object);
  for (const issue of checked.error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    let parent: Json | undefined = object;
    for (const part of issue.path) {
      parent = Array.isArray(parent) ? parent[Number(part)] : isObject(parent) ? parent[String(part)] : undefined;
    }
    for (const key of issue.keys) {
      if (key in UNSUPPORTED || !isObject(parent)) continue;
      delete parent[key];
      unknown.push(dotted([...issue.path, key]));
    }
  }
  return { object, unknown };
}

function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
}

function notEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
