import { KNATIVE_GROUP } from '@skyrun/contracts';
import type { JsonObject } from './json.ts';
import { CATEGORIES_OF_ALL, KINDS } from './kinds.ts';

interface Resource {
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
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
  [KNATIVE_GROUP]: KINDS.map(({ kind, plural, singular, verbs, shortNames }) => ({
    name: plural,
    singular,
    kind,
    namespaced: true,
    verbs,
    shortNames,
    categories: CATEGORIES_OF_ALL,
  })),
  'authorization.k8s.io': [review('SelfSubjectAccessReview'), review('SelfSubjectRulesReview')],
  'authentication.k8s.io': [review('SelfSubjectReview')],
};

const named = (group: string) => (group === '' ? 'v1' : `${group}/v1`);

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
  const version = { groupVersion: named(group), version: 'v1' };
  return { name: group, versions: [version], preferredVersion: version };
}

export function resourceList(group: string): JsonObject {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: named(group),
    resources: (GROUPS[group] ?? []).map(({ name, singular, kind, namespaced, verbs, shortNames, categories }) => ({
      name,
      singularName: singular,
      namespaced,
      kind,
      verbs: [...verbs],
      ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
      ...(categories === undefined ? {} : { categories: [...categories] }),
    })),
  };
}

/** Groups, versions and resources in one answer (`apidiscovery.k8s.io`). `root` is `/api` or `/apis`. */
export function aggregated(root: 'api' | 'apis', version: string): JsonObject {
  const groups = Object.entries(GROUPS).filter(([group]) => (group === '') === (root === 'api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([group, resources]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: [{ version: 'v1', freshness: 'Current', resources: resources.map((each) => discovered(group, each)) }],
    })),
  };
}

function discovered(group: string, resource: Resource): JsonObject {
  const { name, singular, kind, namespaced, verbs, shortNames, categories } = resource;
  return {
    resource: name,
    responseKind: { group, version: 'v1', kind },
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
