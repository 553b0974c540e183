import { KNATIVE_GROUP } from '@skyrun/contracts';

export type KindName = 'Service' | 'Configuration' | 'Route' | 'Revision' | 'DomainMapping';
/** Of Knative's group. */
export type Version = 'v1' | 'v1beta1';

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly description: string;
  /** 1 is shown by `-o wide` only. */
  readonly priority: 0 | 1;
  /** Where the cell's value is: a path, or a condition's field. */
  readonly at: readonly string[] | { readonly condition: string; readonly field: 'status' | 'reason' };
}

export interface Kind {
  readonly kind: KindName;
  readonly version: Version;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
  readonly columns: readonly Column[];
}

const READ = ['get', 'list', 'watch'];
const CATEGORIES = ['all', 'knative', 'serving'];

const column = (name: string, at: Column['at'], description: string, options: Partial<Column> = {}): Column => ({
  name,
  at,
  description,
  type: 'string',
  priority: 0,
  ...options,
});
const READY = [
  column('Ready', { condition: 'Ready', field: 'status' }, 'whether it is ready: True, False or Unknown'),
  column('Reason', { condition: 'Ready', field: 'reason' }, 'why it is not ready'),
];
const AGE = column('Age', ['metadata', 'creationTimestamp'], 'since when it exists', { type: 'date', priority: 1 });
const URL_COLUMN = column('URL', ['status', 'url'], 'where it answers');
const LATEST = [
  column('LatestCreated', ['status', 'latestCreatedRevisionName'], 'the newest revision'),
  column('LatestReady', ['status', 'latestReadyRevisionName'], 'the newest revision that is ready'),
];

/** The kinds of Knative Serving, with the columns that Knative's own definitions print. */
export const KINDS: readonly Kind[] = [
  {
    kind: 'Service',
    version: 'v1',
    plural: 'services',
    singular: 'service',
    shortNames: ['kservice', 'ksvc'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    columns: [
      URL_COLUMN,
      ...LATEST,
      ...READY,
      column('Generation', ['metadata', 'generation'], 'how often its spec was changed', {
        type: 'integer',
        priority: 1,
      }),
      AGE,
    ],
  },
  {
    kind: 'Configuration',
    version: 'v1',
    plural: 'configurations',
    singular: 'configuration',
    shortNames: ['config', 'cfg'],
    verbs: READ,
    columns: [...LATEST, ...READY, AGE],
  },
  {
    kind: 'Revision',
    version: 'v1',
    plural: 'revisions',
    singular: 'revision',
    shortNames: ['rev'],
    verbs: READ,
    columns: [
      column('Config Name', ['metadata', 'labels', `${KNATIVE_GROUP}/configuration`], 'what it is a revision of'),
      column('Generation', ['metadata', 'labels', `${KNATIVE_GROUP}/configurationGeneration`], 'its number'),
      ...READY,
      column('Actual Replicas', ['status', 'actualReplicas'], 'ready instances', { type: 'integer' }),
      column('Desired Replicas', ['status', 'desiredReplicas'], 'ready and starting instances', { type: 'integer' }),
      AGE,
    ],
  },
  {
    kind: 'Route',
    version: 'v1',
    plural: 'routes',
    singular: 'route',
    shortNames: ['rt'],
    verbs: READ,
    columns: [URL_COLUMN, ...READY, AGE],
  },
  {
    kind: 'DomainMapping',
    version: 'v1beta1',
    plural: 'domainmappings',
    singular: 'domainmapping',
    shortNames: ['dm'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    columns: [URL_COLUMN, ...READY, column('Ref Name', ['spec', 'ref', 'name'], 'the service that it leads to'), AGE],
  },
];

export const VERSIONS: readonly Version[] = ['v1', 'v1beta1'];

export const CATEGORIES_OF_ALL: readonly string[] = CATEGORIES;

export function kindOf(name: KindName): Kind {
  const found = KINDS.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

export function apiVersionOf({ version }: Pick<Kind, 'version'>): string {
  return `${KNATIVE_GROUP}/${version}`;
}
