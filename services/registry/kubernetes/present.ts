import type { StoredObject } from '../store/kubernetes.ts';
import { type JsonObject, objectAt } from './json.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import type { Form } from './negotiate.ts';
import { type IncludeObject, partialOf, tableOf } from './table.ts';

/** An object with the version of its last change. */
export function versioned(object: JsonObject, version: bigint): JsonObject {
  return { ...object, metadata: { ...objectAt(object, 'metadata'), resourceVersion: version.toString() } };
}

export function shownObject(stored: StoredObject): JsonObject {
  return versioned(stored.object, stored.version);
}

export interface ListFields {
  readonly resourceVersion: string;
  readonly continue?: string;
}

export function presentOne(
  object: JsonObject,
  kind: Kind,
  form: Form,
  options: { readonly include: IncludeObject; readonly now: number },
): JsonObject {
  if (form.as === 'Table') {
    const metadata = { resourceVersion: objectAt(object, 'metadata')['resourceVersion'] ?? '' };
    return tableOf([object], { columns: kind.columns, ...options, metadata });
  }
  return form.as === 'PartialObjectMetadata' ? partialOf(object) : object;
}

export function presentList(
  objects: readonly JsonObject[],
  kind: Kind,
  form: Form,
  options: { readonly include: IncludeObject; readonly now: number; readonly fields: ListFields },
): JsonObject {
  const metadata: JsonObject = { ...options.fields };
  if (form.as === 'Table')
    return tableOf(objects, { columns: kind.columns, include: options.include, now: options.now, metadata });
  if (form.as === 'PartialObjectMetadataList') {
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: objects.map(partialOf),
    };
  }
  return { apiVersion: apiVersionOf(kind), kind: `${kind.kind}List`, metadata, items: [...objects] };
}
