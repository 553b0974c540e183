import type { Database } from '@skyrun/postgres';
import { findDomain } from '../store/domains.ts';
import {
  findObjects,
  type KubernetesStore,
  type KubernetesTables,
  type ObjectFilter,
  readClock,
  type StoredObject,
} from '../store/kubernetes.ts';
import { findRevision, findService } from '../store/services.ts';
import { objectAt, texts } from './json.ts';
import type { Kind } from './kinds.ts';
import type { ObjectBook, Scope } from './object-book.ts';
import { type FieldSelection, type LabelMatch, matchesFields } from './selectors.ts';
import { badRequest, expired } from './status.ts';

export interface ReadDeps {
  readonly db: Database;
  readonly book: ObjectBook;
}

export interface Selection {
  /** Null is all. */
  readonly projects: readonly string[] | null;
  readonly fields: FieldSelection;
  readonly labels: LabelMatch;
}

export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  readonly version: bigint;
  readonly continue: string | undefined;
}

/** How many rows are read at a time where a selector picks from them. */
const BATCH = 500;

export function selects({ fields, labels }: Selection, object: StoredObject): boolean {
  return matchesFields(fields, object) && labels(texts(objectAt(object.object, 'metadata', 'labels')));
}

/** One object as it is now; null where there is none. */
export async function getObject(
  { db, book }: ReadDeps,
  kind: Kind,
  project: string,
  name: string,
): Promise<StoredObject | null> {
  const store = db.kysely<KubernetesTables>();
  const filter = { kinds: [kind.kind], projects: [project], name };
  const [before] = await findObjects(store, filter);
  const current = await serviceOf(store, kind, project, name);
  const ids = [before?.serviceId, current].filter((id) => id !== undefined);
  if (ids.length === 0) return null;
  await book.refresh({ ids }, [kind.kind]);
  const [object] = await findObjects(store, filter);
  return object ?? null;
}

/** The service that an object is of. */
async function serviceOf(
  store: KubernetesStore,
  { kind }: Kind,
  project: string,
  name: string,
): Promise<string | undefined> {
  if (kind === 'Revision') return (await findRevision(store, project, name))?.service_id;
  if (kind === 'DomainMapping') return (await findDomain(store, project, name))?.service_id;
  return (await findService(store, project, name))?.id;
}

export function scopeOf(projects: readonly string[] | null): Scope {
  return projects === null ? 'all' : { projects };
}

/** A page of what is selected, by project and name. `limit` 0 is all. @throws StatusError 400, 410 */
export async function listObjects(
  { db, book }: ReadDeps,
  kind: Kind,
  selection: Selection,
  page: { readonly limit: number; readonly continue: string | undefined },
): Promise<ObjectPage> {
  const { projects, fields } = selection;
  const clock = await book.refresh(scopeOf(projects), [kind.kind]);
  const position = page.continue === undefined ? undefined : readContinue(page.continue);
  if (position !== undefined && position.version < clock.keptAfter) {
    throw expired('The provided continue parameter is too old; list from the beginning');
  }
  const version = position?.version ?? clock.version;
  const objects: StoredObject[] = [];
  let after: ObjectFilter['after'] = position;
  for (;;) {
    const batch = await findObjects(db.kysely<KubernetesTables>(), {
      kinds: [kind.kind],
      projects: fields.namespace === undefined ? projects : within(projects, fields.namespace),
      name: fields.name,
      after,
      limit: BATCH,
    });
    for (const object of batch) {
      if (!selects(selection, object)) continue;
      if (page.limit > 0 && objects.length === page.limit) {
        const last = objects.at(-1);
        return { objects, version, continue: last === undefined ? undefined : writeContinue(version, last) };
      }
      objects.push(object);
    }
    const last = batch.at(-1);
    if (batch.length < BATCH || last === undefined) return { objects, version, continue: undefined };
    after = { project: last.project, name: last.name };
  }
}

/** All that is selected, and the version from which a watcher goes on, both at one moment. */
export async function listAtOneMoment(
  { db }: ReadDeps,
  kind: Kind,
  selection: Selection,
): Promise<{ objects: StoredObject[]; version: bigint }> {
  return await db.transaction(
    async (tx) => {
      const store = tx.kysely<KubernetesTables>();
      const { version } = await readClock(store);
      const { projects, fields } = selection;
      const found = await findObjects(store, { kinds: [kind.kind], projects, name: fields.name });
      return { objects: found.filter((object) => selects(selection, object)), version };
    },
    { isolation: 'repeatable read' },
  );
}

function within(projects: readonly string[] | null, namespace: string): readonly string[] {
  return projects === null || projects.includes(namespace) ? [namespace] : [];
}

function writeContinue(version: bigint, { project, name }: StoredObject): string {
  return Buffer.from(JSON.stringify([version.toString(), project, name])).toString('base64url');
}

function readContinue(token: string): { version: bigint; project: string; name: string } {
  const refused = badRequest('continue: expected the token of an earlier page');
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw refused;
    throw error;
  }
  if (!Array.isArray(parts)) throw refused;
  const [version, project, name] = parts.map(String);
  if (!/^\d{1,18}$/.test(version ?? '') || project === undefined || name === undefined) throw refused;
  return { version: BigInt(version ?? ''), project, name };
}
