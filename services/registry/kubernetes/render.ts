import { createHash } from 'node:crypto';
import {
  type Condition,
  KNATIVE_GROUP,
  KNATIVE_VERSION,
  type Revision,
  type Service,
  toKnative,
  toKnativeTemplate,
} from '@skyrun/contracts';
import { type JsonObject, toJson } from './json.ts';
import { apiVersionOf, type KindName, kindOf } from './kinds.ts';
import { type Manager, toManagedFields } from './managed-fields.ts';

/** What clients of Kubernetes keep on a service, beyond what Skyrun knows of it. */
export interface KeptMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly managers: readonly Manager[];
}

export const NOTHING_KEPT: KeptMetadata = { labels: {}, annotations: {}, managers: [] };

/** An object but for its version, which it gets when it is stored. */
export interface Rendered {
  readonly kind: KindName;
  readonly project: string;
  readonly name: string;
  readonly object: JsonObject;
}

/** Ready and starting instances of a revision. */
export interface Replicas {
  readonly actual: number;
  readonly desired: number;
}

export function renderService(service: Service, kept: KeptMetadata): Rendered {
  const shown = toKnative(service);
  const annotations = { ...kept.annotations, ...shown.metadata.annotations };
  return rendered('Service', service.project, service.name, {
    metadata: {
      ...baseMetadata(service, uuidOf(service.id)),
      generation: service.generation,
      ...(Object.keys(kept.labels).length === 0 ? {} : { labels: kept.labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(kept.managers.length === 0 ? {} : { managedFields: toManagedFields(kept.managers) }),
    },
    spec: shown.spec,
    status: { ...toJson(shown.status), conditions: conditionsOf(service.status.conditions) },
  });
}

export function renderConfiguration(service: Service): Rendered {
  const { status } = service;
  return rendered('Configuration', service.project, service.name, {
    metadata: { ...ownedMetadata(service, 'Configuration'), generation: service.generation },
    spec: { template: toKnativeTemplate(service.spec.template) },
    status: {
      observedGeneration: status.observedGeneration,
      conditions: conditionsOf(renamed(status.conditions, { ConfigurationsReady: 'Ready' })),
      latestCreatedRevisionName: status.latestCreatedRevision,
      latestReadyRevisionName: status.latestReadyRevision,
    },
  });
}

export function renderRoute(service: Service): Rendered {
  const { status, spec } = service;
  const shown = toJson(toKnative(service).status);
  return rendered('Route', service.project, service.name, {
    metadata: { ...ownedMetadata(service, 'Route'), generation: service.generation },
    spec: {
      traffic: spec.traffic.map((target) =>
        target.revisionName === undefined ? { ...target, configurationName: service.name } : target,
      ),
    },
    status: {
      observedGeneration: status.observedGeneration,
      url: status.url,
      address: { url: status.url },
      conditions: conditionsOf([
        ...renamed(status.conditions, { RoutesReady: 'AllTrafficAssigned' }),
        ...renamed(status.conditions, { RoutesReady: 'Ready' }),
      ]),
      traffic: shown['traffic'] ?? [],
    },
  });
}

export function renderRevision(service: Service, revision: Revision, replicas: Replicas): Rendered {
  const template = toKnativeTemplate(revision.template);
  const labels = {
    ...template.metadata?.labels,
    [`${KNATIVE_GROUP}/configuration`]: service.name,
    [`${KNATIVE_GROUP}/configurationGeneration`]: String(revision.number),
    [`${KNATIVE_GROUP}/configurationUID`]: derivedUuid('Configuration', service.id),
    [`${KNATIVE_GROUP}/service`]: service.name,
    [`${KNATIVE_GROUP}/serviceUID`]: uuidOf(service.id),
  };
  return rendered('Revision', revision.project, revision.name, {
    metadata: {
      name: revision.name,
      namespace: revision.project,
      uid: uuidOf(revision.id),
      creationTimestamp: wholeSeconds(revision.createdAt),
      generation: 1,
      labels,
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [owner('Configuration', service.name, derivedUuid('Configuration', service.id))],
    },
    spec: template.spec,
    status: {
      observedGeneration: 1,
      conditions: conditionsOf(revision.conditions),
      containerStatuses: [
        { name: 'user-container', imageDigest: `${imageName(revision.template.image)}@${revision.imageDigest}` },
      ],
      actualReplicas: replicas.actual,
      desiredReplicas: replicas.desired,
    },
  });
}

export function rendered(
  kind: KindName,
  project: string,
  name: string,
  parts: Readonly<Record<string, unknown>>,
): Rendered {
  return { kind, project, name, object: toJson({ apiVersion: apiVersionOf(kindOf(kind)), kind, ...parts }) };
}

function baseMetadata(service: Service, uid: string) {
  return {
    name: service.name,
    namespace: service.project,
    uid,
    creationTimestamp: wholeSeconds(service.createdAt),
  };
}

function ownedMetadata(service: Service, kind: KindName) {
  return {
    ...baseMetadata(service, derivedUuid(kind, service.id)),
    labels: { [`${KNATIVE_GROUP}/service`]: service.name, [`${KNATIVE_GROUP}/serviceUID`]: uuidOf(service.id) },
    ownerReferences: [owner('Service', service.name, uuidOf(service.id))],
  };
}

function owner(kind: KindName, name: string, uid: string) {
  return { apiVersion: KNATIVE_VERSION, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function renamed(conditions: readonly Condition[], names: Readonly<Record<string, string>>) {
  return conditions.flatMap((condition) => {
    const type = names[condition.type];
    return type === undefined ? [] : [{ ...condition, type }];
  });
}

/** Kubernetes' clients read times to the second. */
function conditionsOf(conditions: readonly (Omit<Condition, 'type'> & { readonly type: string })[]) {
  return conditions.map((condition) => ({
    ...condition,
    lastTransitionTime: wholeSeconds(condition.lastTransitionTime),
  }));
}

export function wholeSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

/** Our ids are a UUID behind a prefix. */
export function uuidOf(id: string): string {
  return id.slice(id.indexOf('_') + 1);
}

/** The uid of an object that has no id of its own: a UUIDv8 (RFC 9562) that follows from what it is derived from. */
export function derivedUuid(kind: KindName, id: string): string {
  const hex = createHash('sha256').update(`${kind} ${id}`).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}

function imageName(image: string): string {
  if (image.startsWith('sha256:')) return 'image';
  const [name = image] = image.split('@');
  return name.replace(/:[^:/]*$/, '');
}
