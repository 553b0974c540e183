import { KNATIVE_GROUP } from '@skyrun/contracts';
import { KINDS, type Kind, VERSIONS, type Version } from './kinds.ts';

/** What a path of the Kubernetes API names. */
export type Target =
  | { readonly kind: 'document'; readonly document: Document; readonly group?: string; readonly version?: Version }
  | { readonly kind: 'objects'; readonly of: Kind; readonly project: string | null; readonly name: string | null }
  | { readonly kind: 'namespaces'; readonly name: string | null }
  | { readonly kind: 'review'; readonly review: Review }
  | { readonly kind: 'unknown' };

/** What is the same for everybody. */
export type Document =
  | 'versions'
  | 'groups'
  | 'group'
  | 'core'
  | 'resources'
  | 'version'
  | 'openapi2'
  | 'openapi3'
  | 'openapi3-serving'
  | 'openapi3-core'
  | 'healthy';

export type Review = 'selfsubjectaccessreviews' | 'selfsubjectrulesreviews' | 'selfsubjectreviews';

export const REVIEW_GROUPS: Readonly<Record<string, readonly Review[]>> = {
  'authorization.k8s.io': ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  'authentication.k8s.io': ['selfsubjectreviews'],
};

const DOCUMENTS: Readonly<Record<string, Document>> = {
  '/api': 'versions',
  '/apis': 'groups',
  '/api/v1': 'core',
  '/version': 'version',
  '/openapi/v2': 'openapi2',
  '/openapi/v3': 'openapi3',
  '/openapi/v3/api/v1': 'openapi3-core',
  '/healthz': 'healthy',
  '/livez': 'healthy',
  '/readyz': 'healthy',
};

const UNKNOWN: Target = { kind: 'unknown' };
const SERVING_DOCUMENT = `/openapi/v3/apis/${KNATIVE_GROUP}/`;
const GROUPS: readonly string[] = [KNATIVE_GROUP, ...Object.keys(REVIEW_GROUPS)];

/** @param path as it was sent, percent-encoded, without query */
export function targetOf(path: string): Target {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const document = DOCUMENTS[trimmed];
  if (document !== undefined) return { kind: 'document', document };
  const described = VERSIONS.find((version) => trimmed === `${SERVING_DOCUMENT}${version}`);
  if (described !== undefined) return { kind: 'document', document: 'openapi3-serving', version: described };
  const segments = decode(trimmed);
  if (segments === null) return UNKNOWN;
  const [root, ...rest] = segments;
  if (root === 'api') return coreTarget(rest);
  return root === 'apis' ? groupTarget(rest) : UNKNOWN;
}

function coreTarget([version, resource, name, ...rest]: readonly string[]): Target {
  if (version !== 'v1' || resource !== 'namespaces' || rest.length > 0) return UNKNOWN;
  return { kind: 'namespaces', name: name ?? null };
}

function groupTarget([group = '', asked, ...rest]: readonly string[]): Target {
  if (!GROUPS.includes(group)) return UNKNOWN;
  if (asked === undefined) return { kind: 'document', document: 'group', group };
  const version = VERSIONS.find((known) => known === asked && (known === 'v1' || group === KNATIVE_GROUP));
  if (version === undefined) return UNKNOWN;
  if (rest.length === 0) return { kind: 'document', document: 'resources', group, version };
  const review = REVIEW_GROUPS[group]?.find((known) => rest.length === 1 && known === rest[0]);
  if (review !== undefined) return { kind: 'review', review };
  const namespaced = rest[0] === 'namespaces';
  const [plural, name, ...more] = namespaced ? rest.slice(2) : rest;
  const of =
    group in REVIEW_GROUPS ? undefined : KINDS.find((known) => known.plural === plural && known.version === version);
  const project = namespaced ? (rest[1] ?? null) : null;
  if (of === undefined || more.length > 0 || (project === null && name !== undefined)) return UNKNOWN;
  return { kind: 'objects', of, project, name: name ?? null };
}

function decode(path: string): string[] | null {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
