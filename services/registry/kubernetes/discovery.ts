import { KNATIVE_GROUP } from '@skyrun/contracts';
import type { JsonObject } from './json.ts';
import { CATEGORIES_OF_ALL, KINDS, VERSIONS, type Version } from './kinds.ts';

interface Resource {
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
  /** v1 where absent. */
  readonly version?: Version;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const NAMESPACES: Resource = {
  name: 'namespaces',
  singular: 'namespace',
  kind: 'Namespace',
  namespaced: false,
  verbs: ['create', 'get', 'list'],
  shortNames: ['ns'],
};
const review = (kind: string): Resource => ({
  name: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  kind,
  namespaced: false,
  verbs: ['create'],
});

/** What there is, by group; '' is Kubernetes' core. */
export const GROUPS: Readonly<Record<string, readonly Resource[]>> = {
  '': [NAMESPACES],
  [KNATIVE_GROUP]: KINDS.map(({ kind, version, plural, singular, verbs, shortNames }) => ({
    name: plural,
    singular,
    kind,
    version,
    namespaced: true,
    verbs,
    shortNames,
    categories: CATEGORIES_OF_ALL,
  })),
  'authorization.k8s.io': [review('SelfSubjectAccessReview'), review('SelfSubjectRulesReview')],
  'authentication.k8s.io': [review('SelfSubjectReview')],
};

const named = (group: string, version: Version) => (group === '' ? version : `${group}/${version}`);

const resourcesOf = (group: string, wanted: Version) =>
  (GROUPS[group] ?? []).filter(({ version = 'v1' }) => version === wanted);
/** The preferred one first. */
const versionsOf = (group: string) => VERSIONS.filter((version) => resourcesOf(group, version).length > 0);

export function coreVersions(): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

export function groupList(): JsonObject {
  const groups = Object.keys(GROUPS).filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupFields) };
}

export function groupOf(group: string): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) };
}

function groupFields(group: string): JsonObject {
  const versions = versionsOf(group).map((version) => ({ groupVersion: named(group, version), version }));
  return { name: group, versions, preferredVersion: versions[0] ?? {} };
}

export function resourceList(group: string, version: Version): JsonObject {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: named(group, version),
    resources: resourcesOf(group, version).map(
      ({ name, singular, kind, namespaced, verbs, shortNames, categories }) => ({
        name,
        singularName: singular,
        namespaced,
        kind,
        verbs: [...verbs],
        ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
        ...(categories === undefined ? {} : { categories: [...categories] }),
      }),
    ),
  };
}

/** Groups, versions and resources in one answer (`apidiscovery.k8s.io`). `root` is `/api` or `/apis`. */
export function aggregated(root: 'api' | 'apis', version: string): JsonObject {
  const groups = Object.keys(GROUPS).filter((group) => (group === '') === (root === 'api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(group).map((each) => ({
        version: each,
        freshness: 'Current',
        resources: resourcesOf(group, each).map((resource) => discovered(group, resource)),
      })),
    })),
  };
}

function discovered(group: string, resource: Resource): JsonObject {
  const { name, singular, kind, version = 'v1', namespaced, verbs, shortNames, categories } = resource;
  return {
    resource: name,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: [...verbs],
    ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
    ...(categories === undefined ? {} : { categories: [...categories] }),
  };
}

/** The version of Kubernetes' API whose shape this is. */
export function versionInfo(): JsonObject {
  return {
    major: '1',
    minor: '32',
    gitVersion: 'v1.32.0+skyrun',
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: '',
    platform: '',
  };
}
