import { isDeepStrictEqual } from 'node:util';
import type { Database } from '@skyrun/postgres';
import { toDomain } from '../domains/domains.ts';
import type { PublicAddress, ServiceState } from '../services/service-state.ts';
import { toRevision, toService } from '../services/views.ts';
import { domainsOf } from '../store/domains.ts';
import {
  advanceClock,
  type ClockReading,
  findObjects,
  forgetChanges,
  type KubernetesStore,
  type KubernetesTables,
  type MetadataRow,
  readClock,
  readMetadata,
  type StoredChange,
  type StoredObject,
  writeChange,
} from '../store/kubernetes.ts';
import { completeServices, findServiceIds, listRevisionsOf, readServices } from '../store/services.ts';
import { renderDomainMapping } from './domain-mapping.ts';
import { objectAt, texts } from './json.ts';
import type { KindName } from './kinds.ts';
import { fromManagedFields } from './managed-fields.ts';
import {
  type KeptMetadata,
  NOTHING_KEPT,
  type Rendered,
  renderConfiguration,
  renderRevision,
  renderRoute,
  renderService,
} from './render.ts';

/** Which services are looked at. */
export type Scope = { readonly ids: readonly string[] } | { readonly projects: readonly string[] } | 'all';

/**
 * Objects and their versions. What Skyrun knows is the truth; the book remembers how it was last shown, and gives each
 * difference the next version when somebody looks. So nobody pays for versions that nobody asks for, a version read is never
 * given again, also not after a restart, and an older one can be resumed from for as long as the changes since are kept.
 */
export interface ObjectBook {
  /** Writes down what has changed. Resolves when what is read next is at least as new as when it was called. */
  refresh(scope: Scope, kinds: readonly KindName[]): Promise<ClockReading>;
}

interface Wanted extends Rendered {
  readonly serviceId: string;
}

/** Changes that are kept for watchers that come back. */
export const KEPT_CHANGES = 5000;
/** How often a refresh that met another one is tried. */
const ATTEMPTS = 30;

export function createObjectBook(deps: {
  readonly db: Database;
  readonly address: PublicAddress;
  readonly keptChanges?: number;
}): ObjectBook {
  const { db, address, keptChanges = KEPT_CHANGES } = deps;
  // One at a time in this process; those of other processes are met with a retry.
  let last: Promise<unknown> = Promise.resolve();

  async function look(store: KubernetesStore, scope: Scope, kinds: readonly KindName[]) {
    const ids = await serviceIds(store, scope);
    const services = await readServices(store, ids);
    const states = await completeServices(store, services);
    const metadata = kinds.includes('Service')
      ? await readMetadata(
          store,
          services.map(({ id }) => id),
        )
      : new Map();
    const revisions = kinds.includes('Revision')
      ? await listRevisionsOf(
          store,
          services.map(({ id }) => id),
        )
      : [];
    const wanted = states.flatMap((state) => rendered(state, metadata.get(state.service.id), kinds, address));
    if (kinds.includes('DomainMapping')) {
      for (const row of await domainsOf(store, ids)) {
        wanted.push({ serviceId: row.service_id, ...renderDomainMapping(toDomain(row, address)) });
      }
    }
    const byId = new Map(states.map((state) => [state.service.id, state]));
    for (const row of revisions) {
      const state = byId.get(row.service_id);
      if (state === undefined) continue;
      const service = toService(state, address);
      wanted.push({
        serviceId: row.service_id,
        ...renderRevision(service, toRevision(row), replicasOf(state, row.id)),
      });
    }
    const stored = await findObjects(
      store,
      scope === 'all'
        ? { kinds, projects: null }
        : 'ids' in scope
          ? { kinds, projects: null, serviceIds: scope.ids }
          : { kinds, projects: scope.projects },
    );
    return { changes: differences(wanted, stored), clock: await readClock(store) };
  }

  async function refresh(scope: Scope, kinds: readonly KindName[]): Promise<ClockReading> {
    return await db.transaction(
      async (tx) => {
        const store = tx.kysely<KubernetesTables>();
        const { changes, clock } = await look(store, scope, kinds);
        if (changes.length === 0) return clock;
        let version = await advanceClock(store, changes.length);
        for (const change of changes) {
          version += 1n;
          await writeChange(store, { ...change, version });
        }
        const oldest = version - BigInt(keptChanges);
        // Not each time: a little more than what is promised is kept.
        if (oldest - clock.keptAfter > BigInt(Math.ceil(keptChanges / 10))) await forgetChanges(store, oldest);
        return { version, keptAfter: oldest > clock.keptAfter ? oldest : clock.keptAfter };
      },
      { isolation: 'repeatable read', attempts: ATTEMPTS },
    );
  }

  return {
    async refresh(scope, kinds) {
      const turn = last.then(
        () => refresh(scope, kinds),
        () => refresh(scope, kinds),
      );
      last = turn.catch(() => undefined);
      return await turn;
    },
  };
}

async function serviceIds(store: KubernetesStore, scope: Scope): Promise<readonly string[] | 'all'> {
  if (scope === 'all') return 'all';
  return 'ids' in scope ? scope.ids : await findServiceIds(store, scope.projects);
}

function rendered(
  state: ServiceState,
  metadata: MetadataRow | undefined,
  kinds: readonly KindName[],
  address: PublicAddress,
): Wanted[] {
  const service = toService(state, address);
  const serviceId = service.id;
  return [
    ...(kinds.includes('Service') ? [renderService(service, keptMetadata(metadata))] : []),
    ...(kinds.includes('Configuration') ? [renderConfiguration(service)] : []),
    ...(kinds.includes('Route') ? [renderRoute(service)] : []),
  ].map((object) => ({ serviceId, ...object }));
}

export function keptMetadata(row: MetadataRow | undefined): KeptMetadata {
  if (row === undefined) return NOTHING_KEPT;
  return {
    labels: texts(row.labels),
    annotations: texts(row.annotations),
    managers: fromManagedFields(row.managed_fields) ?? [],
  };
}

function replicasOf({ instances }: ServiceState, revisionId: string) {
  const own = instances.filter((instance) => instance.revisionId === revisionId);
  const actual = own.filter(({ state }) => state === 'ready').length;
  return { actual, desired: actual + own.filter(({ state }) => state === 'starting').length };
}

type Difference = Omit<StoredChange, 'version'> & { readonly serviceId: string };

/** A name that another service has taken over meanwhile is a deletion and an addition. */
function differences(wanted: readonly Wanted[], stored: readonly StoredObject[]): Difference[] {
  const keyOf = ({ kind, project, name }: { kind: string; project: string; name: string }) =>
    `${kind} ${project}/${name}`;
  const known = new Map(stored.map((object) => [keyOf(object), object]));
  const changes: Difference[] = [];
  const gone = ({ version: _, ...object }: StoredObject): Difference => ({
    ...object,
    type: 'DELETED',
    previousLabels: objectAt(object.object, 'metadata', 'labels'),
  });
  for (const object of wanted) {
    const before = known.get(keyOf(object));
    known.delete(keyOf(object));
    if (before === undefined) changes.push({ ...object, type: 'ADDED', previousLabels: null });
    else if (before.serviceId !== object.serviceId) {
      changes.push(gone(before), { ...object, type: 'ADDED', previousLabels: null });
    } else if (!isDeepStrictEqual(before.object, object.object)) {
      const previousLabels = objectAt(before.object, 'metadata', 'labels');
      changes.push({ ...object, type: 'MODIFIED', previousLabels });
    }
  }
  return [...[...known.values()].map(gone), ...changes];
}
