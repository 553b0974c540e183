import { KNATIVE_VERSION, Problem, type Service, toKnativeSpec } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Transaction } from '@skyrun/postgres';
import { createService } from '../services/create-service.ts';
import { replaceService } from '../services/replace-service.ts';
import { type KubernetesTables, readMetadata, type StoredObject, writeMetadata } from '../store/kubernetes.ts';
import { findService, notifyChange } from '../store/services.ts';
import type { ServiceRow } from '../store/tables.ts';
import type { TrafficDeps } from '../traffic/settle-traffic.ts';
import type { UseCaseDeps } from '../use-case.ts';
import { type JsonObject, objectAt, textAt, toJson } from './json.ts';
import { kindOf } from './kinds.ts';
import {
  afterApply,
  afterUpdate,
  type Change,
  conflicts,
  type Manager,
  merged,
  toManagedFields,
} from './managed-fields.ts';
import { type FieldValidation, type Manifest, readManifest } from './manifest.ts';
import { keptMetadata } from './object-book.ts';
import { shownObject, versioned } from './present.ts';
import { getObject, type ReadDeps } from './read-objects.ts';
import { renderService, wholeSeconds } from './render.ts';
import { rollingBack } from './rolling-back.ts';
import { conflict, notFound, StatusError } from './status.ts';

export interface WriteDeps extends ReadDeps, UseCaseDeps, TrafficDeps {
  readonly retainedRevisions: number;
  /** Most domains that a project may have. */
  readonly projectDomains: number;
}

export interface WriteOptions {
  /** Check everything, change nothing. */
  readonly dryRun: boolean;
  readonly manager: string;
  readonly validation: FieldValidation;
  /** Server-side apply: take fields that others own. */
  readonly force: boolean;
  readonly caller: string;
  readonly traceparent: string | undefined;
}

export interface Written {
  readonly object: JsonObject;
  readonly created: boolean;
  readonly warnings: readonly string[];
}

const SERVICE = kindOf('Service');
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';
/** A patch that names no version is repeated when somebody else was faster. */
const ATTEMPTS = 5;

/** A service as it is now, with what a write must find unchanged. */
interface Live {
  readonly stored: StoredObject;
  readonly edition: number;
  readonly managers: readonly Manager[];
}

/** @throws StatusError, Problem */
export async function createObject(
  input: { readonly project: string; readonly body: unknown; readonly options: WriteOptions },
  deps: WriteDeps,
): Promise<Written> {
  const { project, body, options } = input;
  const manifest = readManifest(body, { project, name: null, validation: options.validation });
  if (manifest.resourceVersion !== undefined) {
    throw new StatusError(400, 'BadRequest', 'resourceVersion should not be set on objects to be created');
  }
  const change = { live: {}, managers: [], ...changeBy(options, deps) };
  return await insert(project, manifest, afterUpdate({ ...change, next: stored(manifest) }), options, deps);
}

/** Replaces a service. @throws StatusError, Problem */
export async function updateObject(
  input: { readonly project: string; readonly name: string; readonly body: unknown; readonly options: WriteOptions },
  deps: WriteDeps,
): Promise<Written> {
  const { project, name, body, options } = input;
  const live = await readLive(project, name, deps);
  const manifest = readManifest(body, { project, name, validation: options.validation });
  if (manifest.resourceVersion === undefined) {
    throw new StatusError(
      422,
      'Invalid',
      `services "${name}" is invalid: metadata.resourceVersion: must be specified for an update`,
    );
  }
  requireSame(manifest, live);
  return await write(live, manifest, managersAfter(live, manifest, options, deps), options, deps);
}

/** Changes a service by what `patch` makes of it. @throws StatusError, Problem */
export async function patchObject(
  input: {
    readonly project: string;
    readonly name: string;
    readonly patch: (object: JsonObject) => unknown;
    readonly options: WriteOptions;
  },
  deps: WriteDeps,
): Promise<Written> {
  const { project, name, patch, options } = input;
  for (let attempt = 1; ; attempt += 1) {
    const live = await readLive(project, name, deps);
    const manifest = readManifest(patch(shownObject(live.stored)), { project, name, validation: options.validation });
    requireSame(manifest, live);
    try {
      return await write(live, manifest, managersAfter(live, manifest, options, deps), options, deps);
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Server-side apply: creates the service or sets what is named, and takes away what its manager names no more. */
export async function applyObject(
  input: { readonly project: string; readonly name: string; readonly body: unknown; readonly options: WriteOptions },
  deps: WriteDeps,
): Promise<Written> {
  const { project, name, body, options } = input;
  const read = (given: unknown) => readManifest(given, { project, name, validation: options.validation });
  const applied = toJson(body);
  const sent = objectAt(applied, 'metadata');
  if (sent['managedFields'] !== undefined && sent['managedFields'] !== null) {
    throw new StatusError(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  for (let attempt = 1; ; attempt += 1) {
    const live = await findLive(project, name, deps);
    try {
      if (live === null) {
        const manifest = read(applied);
        if (manifest.uid !== undefined) throw conflict({ resource: 'services', name }, 'uid mismatch: it is not there');
        const change = { live: {}, managers: [], ...changeBy(options, deps) };
        return await insert(project, manifest, afterApply({ ...change, applied, taken: [] }), options, deps);
      }
      const change = { live: shownObject(live.stored), managers: live.managers, ...changeBy(options, deps) };
      const manifest = read(merged({ ...change, applied }));
      // A version in the configuration is a condition, one of the live object is not.
      requireSame({ ...manifest, resourceVersion: textAt(sent, 'resourceVersion'), uid: textAt(sent, 'uid') }, live);
      const next = stored(manifest);
      const taken = conflicts({ ...change, applied, next });
      if (taken.length > 0 && !options.force) throw applyConflict(taken);
      return await write(live, manifest, afterApply({ ...change, applied, taken }), options, deps);
    } catch (error) {
      const lostRace = isConflict(error) || (error instanceof Problem && error.code === 'resource.already_exists');
      if (!lostRace || attempt >= ATTEMPTS) throw error;
    }
  }
}

function applyConflict(taken: readonly { readonly manager: string; readonly path: readonly string[] }[]): StatusError {
  const causes = taken.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${manager}" using ${KNATIVE_VERSION}`,
    field: `.${path.join('.')}`,
  }));
  const list = causes.map(({ message, field }) => `${message}: ${field}`).join('\n');
  const count = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`;
  return new StatusError(409, 'Conflict', `Apply failed with ${count}: ${list}`, { causes });
}

/** Somebody else was faster: worth another try with what is there now. Conflicts of ownership are not. */
function isConflict(error: unknown): boolean {
  return error instanceof LostRace;
}

class LostRace extends StatusError {}

function lostRace(name: string): LostRace {
  const { message } = conflict({ resource: 'services', name }, MODIFIED);
  return new LostRace(409, 'Conflict', message);
}

function changeBy(options: WriteOptions, { clock }: WriteDeps): Pick<Change, 'manager' | 'apiVersion' | 'now'> {
  return { manager: options.manager, apiVersion: KNATIVE_VERSION, now: wholeSeconds(isoTime(clock.now())) };
}

function managersAfter(live: Live, manifest: Manifest, options: WriteOptions, deps: WriteDeps): Manager[] {
  return afterUpdate({
    live: shownObject(live.stored),
    next: stored(manifest),
    // Clients may rewrite who owns what, as `kubectl` does when it goes over to server-side apply.
    managers: manifest.managers ?? live.managers,
    ...changeBy(options, deps),
  });
}

/** What of a manifest will be shown: the spec with its defaults, labels and annotations. */
function stored({ spec, labels, annotations }: Manifest): JsonObject {
  return toJson({ metadata: { labels, annotations }, spec: toKnativeSpec(spec) });
}

/** @throws StatusError 409 where the manifest was made from another version, or of another object */
function requireSame(manifest: Pick<Manifest, 'name' | 'resourceVersion' | 'uid'>, { stored: object }: Live): void {
  const about = { resource: 'services', name: manifest.name };
  const uid = objectAt(object.object, 'metadata')['uid'];
  if (manifest.uid !== undefined && manifest.uid !== uid) {
    throw conflict(
      about,
      `the UID in the precondition (${manifest.uid}) does not match the UID in record (${String(uid)})`,
    );
  }
  if (manifest.resourceVersion !== undefined && manifest.resourceVersion !== object.version.toString()) {
    throw conflict(about, MODIFIED);
  }
}

async function findLive(project: string, name: string, deps: WriteDeps): Promise<Live | null> {
  const store = deps.db.kysely<KubernetesTables>();
  const row = await findService(store, project, name);
  // Before the object is read: whoever writes after this is noticed when we write.
  const metadata = row === undefined ? undefined : (await readMetadata(store, [row.id])).get(row.id);
  const object = await getObject(deps, SERVICE, project, name);
  if (object === null || row === undefined || object.serviceId !== row.id) return null;
  return { stored: object, edition: metadata?.edition ?? 0, managers: keptMetadata(metadata).managers };
}

async function readLive(project: string, name: string, deps: WriteDeps): Promise<Live> {
  const live = await findLive(project, name, deps);
  if (live === null) throw notFound({ resource: 'services', name });
  return live;
}

async function insert(
  project: string,
  manifest: Manifest,
  managers: readonly Manager[],
  options: WriteOptions,
  deps: WriteDeps,
): Promise<Written> {
  const { caller, traceparent } = options;
  const service = await createService(
    {
      project,
      name: manifest.name,
      spec: manifest.spec,
      caller,
      traceparent,
      alongside: (tx, row) => keep(tx, row, 0, manifest, managers),
    },
    useCaseDeps(options, deps),
  );
  const object = options.dryRun ? imagined(service, manifest, managers) : await fresh(service, deps);
  return { object, created: true, warnings: manifest.warnings };
}

async function write(
  live: Live,
  manifest: Manifest,
  managers: readonly Manager[],
  options: WriteOptions,
  deps: WriteDeps,
): Promise<Written> {
  const { object, project, serviceId, version } = live.stored;
  const { name } = manifest;
  const generation = Number(objectAt(object, 'metadata')['generation']);
  let service: Service;
  try {
    service = await replaceService(
      {
        project,
        name,
        spec: manifest.spec,
        ifMatch: `"${generation}"`,
        keepsUnsaid: true,
        traceparent: options.traceparent,
        async alongside(tx, row) {
          if (row.id !== serviceId) throw lostRace(name);
          await keep(tx, row, live.edition, manifest, managers);
        },
      },
      useCaseDeps(options, deps),
    );
  } catch (error) {
    if (error instanceof Problem && error.code === 'resource.precondition_failed') throw lostRace(name);
    throw error;
  }
  const shown = options.dryRun ? versioned(imagined(service, manifest, managers), version) : await fresh(service, deps);
  return { object: shown, created: false, warnings: manifest.warnings };
}

function useCaseDeps({ dryRun }: WriteOptions, deps: WriteDeps): WriteDeps {
  return dryRun ? { ...deps, db: rollingBack(deps.db) } : deps;
}

/** Writes down what Skyrun has no place for, in the transaction of the use case. A write that says the same writes nothing. */
async function keep(
  tx: Transaction,
  service: ServiceRow,
  edition: number,
  manifest: Manifest,
  managers: readonly Manager[],
): Promise<void> {
  const store = tx.kysely<KubernetesTables>();
  const now = (await readMetadata(store, [service.id])).get(service.id);
  if ((now?.edition ?? 0) !== edition) throw lostRace(service.name);
  const { labels, annotations } = manifest;
  const managedFields = toManagedFields(managers);
  const same =
    now !== undefined &&
    JSON.stringify(sorted([now.labels, now.annotations, now.managed_fields])) ===
      JSON.stringify(sorted([labels, annotations, managedFields]));
  if (same) return;
  if (!(await writeMetadata(store, service.id, edition, { labels, annotations, managedFields }))) {
    throw lostRace(service.name);
  }
  await notifyChange(store, service.id);
}

/** PostgreSQL keeps no order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function imagined(service: Service, { labels, annotations }: Manifest, managers: readonly Manager[]): JsonObject {
  return renderService(service, { labels, annotations, managers }).object;
}

async function fresh(service: Service, deps: WriteDeps): Promise<JsonObject> {
  const object = await getObject(deps, SERVICE, service.project, service.name);
  if (object === null) throw notFound({ resource: 'services', name: service.name });
  return shownObject(object);
}
