import { deleteService } from '../services/delete-service.ts';
import type { StoredObject } from '../store/kubernetes.ts';
import { liveInstanceCount } from '../store/services.ts';
import type { Tables } from '../store/tables.ts';
import type { UseCaseDeps } from '../use-case.ts';
import { isObject, type JsonObject, objectAt, textAt } from './json.ts';
import { KINDS, kindOf } from './kinds.ts';
import { shownObject } from './present.ts';
import { getObject, type ReadDeps } from './read-objects.ts';
import { rollingBack } from './rolling-back.ts';
import { type About, badRequest, conflict, invalid, notFound } from './status.ts';

export interface DeleteOptions {
  readonly propagation: 'Background' | 'Foreground';
  readonly dryRun: boolean;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Foreground: how long the answer is held back for instances to end, and how often they are looked at, in milliseconds. */
const FOREGROUND_MS = 30_000;
const LOOK_MS = 100;
const ALL_KINDS = KINDS.map(({ kind }) => kind);

/** Options come in the body, in the query, or not at all. @throws StatusError 400, 422 */
export function readDeleteOptions(body: unknown, query: URLSearchParams, about: About): DeleteOptions {
  const given = isObject(body) ? body : {};
  const propagation = textAt(given, 'propagationPolicy') ?? query.get('propagationPolicy') ?? 'Background';
  if (propagation === 'Orphan' || given['orphanDependents'] === true || query.get('orphanDependents') === 'true') {
    const field = 'propagationPolicy';
    const message = 'Orphan is not supported: instances end with their service';
    throw invalid(about, [{ reason: 'FieldValueInvalid', field, message }]);
  }
  if (propagation !== 'Background' && propagation !== 'Foreground') {
    throw badRequest(`propagationPolicy: expected Background or Foreground, got ${propagation}`);
  }
  const dryRun = given['dryRun'] ?? query.getAll('dryRun');
  return {
    propagation,
    dryRun: Array.isArray(dryRun) && dryRun.length > 0,
    uid: textAt(given, 'preconditions', 'uid'),
    resourceVersion: textAt(given, 'preconditions', 'resourceVersion'),
  };
}

/** @returns the object as it was last. @throws StatusError, Problem */
export async function deleteObject(
  input: {
    project: string;
    name: string;
    options: DeleteOptions;
    traceparent: string | undefined;
    signal: AbortSignal;
  },
  deps: ReadDeps & UseCaseDeps,
): Promise<JsonObject> {
  const { project, name, options, traceparent } = input;
  const about = { resource: 'services', name };
  const object = await getObject(deps, kindOf('Service'), project, name);
  if (object === null) throw notFound(about);
  requireConditions(options, object, about);
  // With a condition, nobody may have changed it since it was looked at.
  const conditional = options.uid !== undefined || options.resourceVersion !== undefined;
  const generation = Number(objectAt(object.object, 'metadata')['generation']);
  const db = options.dryRun ? rollingBack(deps.db) : deps.db;
  const ifMatch = conditional ? `"${generation}"` : undefined;
  await deleteService({ project, name, ifMatch, traceparent }, { ...deps, db });
  if (!options.dryRun) {
    if (options.propagation === 'Foreground') await instancesEnd(object.serviceId, input.signal, deps);
    await deps.book.refresh({ ids: [object.serviceId] }, ALL_KINDS);
  }
  return shownObject(object);
}

/** @throws StatusError 409 where it is another object, or another version of it */
export function requireConditions(options: DeleteOptions, object: StoredObject, about: About): void {
  const uid = textAt(object.object, 'metadata', 'uid');
  if (options.uid !== undefined && options.uid !== uid) {
    throw conflict(about, `the UID in the precondition (${options.uid}) does not match the UID in record (${uid})`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== object.version.toString()) {
    throw conflict(about, 'the resourceVersion in the precondition does not match the one in record');
  }
}

async function instancesEnd(serviceId: string, signal: AbortSignal, { db, clock }: UseCaseDeps): Promise<void> {
  const until = clock.monotonic() + FOREGROUND_MS;
  while (clock.monotonic() < until && (await liveInstanceCount(db.kysely<Tables>(), serviceId)) > 0) {
    await clock.sleep(LOOK_MS, signal);
  }
}
