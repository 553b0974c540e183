import { type ApiKey, type ApiKeyRole, type EventType, type NewApiKey, Problem } from '@skyrun/contracts';
import { isoTime, newId } from '@skyrun/kit';
import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import { lockProject } from '../store/projects.ts';
import type { Db } from '../store/tables.ts';
import { makeKey } from './secret.ts';
import { countKeys, deleteKey, findKey, heldKeys, insertKey, keysVersion, markUsed, replaceDigest } from './store.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Keys of one project. Every gateway holds those of all projects in memory, and is told all of them at each change. */
export const MOST_KEYS = 100;

interface OneKey {
  readonly project: string;
  readonly key: string;
  readonly origin: Origin;
}

export interface CreateApiKey {
  readonly project: string;
  readonly name: string;
  readonly role: ApiKeyRole;
  readonly expiresInDays?: number | undefined;
  readonly origin: Origin;
}

/** @throws Problem `resource.not_found` (project), `resource.already_exists`, `request.invalid` where there are too many */
export function createApiKey(input: CreateApiKey, context: IdentityContext): Promise<NewApiKey> {
  const { project, name, role, expiresInDays, origin } = input;
  return context.inTransaction(async (db, emit) => {
    const now = context.clock.now();
    const { id: projectId } = (await lockProject(db, project)) ?? notFound(`there is no project ${project}`);
    if ((await countKeys(db, projectId)) >= MOST_KEYS) {
      const message = `${project} has ${MOST_KEYS} keys, which is the most there may be; revoke one that is not used`;
      throw new Problem('request.invalid', { detail: message, errors: [{ field: '#path/project', message }] });
    }
    const { key, digest, hint } = makeKey();
    const id = newId('apiKey', context.clock);
    const expires = expiresInDays === undefined ? null : new Date(now + expiresInDays * DAY_MS);
    const row = { id, project_id: projectId, name, role, hint, digest, created_by: origin.userId ?? '' };
    if (!(await insertKey(db, { ...row, created_at: new Date(now), expires_at: expires }))) {
      throw new Problem('resource.already_exists', {
        detail: `${project} has a key ${name} already; rotate it, or choose another name`,
        errors: [{ field: '/name', message: 'is taken' }],
      });
    }
    await emit([told('skyrun.key.created.v1', { id, project, name, role })]);
    await audit(db, 'key.create', { id, project, name, role }, origin, now);
    const made = await present(db, project, id);
    return { ...made, key };
  });
}

/** @throws Problem `resource.not_found` */
export function rotateApiKey(
  { project, key: id, graceMinutes, origin }: OneKey & { readonly graceMinutes: number },
  context: IdentityContext,
): Promise<NewApiKey> {
  return context.inTransaction(async (db, emit) => {
    const now = context.clock.now();
    const known = await lockKey(db, project, id);
    const { key, digest, hint } = makeKey();
    await replaceDigest(db, id, { digest, hint, now, graceMs: graceMinutes * MINUTE_MS });
    await emit([told('skyrun.key.rotated.v1', known)]);
    await audit(db, 'key.rotate', known, origin, now);
    return { ...(await present(db, project, id)), key };
  });
}

/** @throws Problem `resource.not_found` */
export function revokeApiKey({ project, key: id, origin }: OneKey, context: IdentityContext): Promise<void> {
  return context.inTransaction(async (db, emit) => {
    const known = await lockKey(db, project, id);
    await deleteKey(db, id);
    await emit([told('skyrun.key.revoked.v1', known)]);
    await audit(db, 'key.revoke', known, origin, context.clock.now());
  });
}

/** Null when no key has this digest, or the one that has does not hold any more. */
export async function identifyApiKey({ digest }: { digest: string }, { db, clock }: IdentityContext) {
  const [held] = await heldKeys(db, clock.now(), Buffer.from(digest, 'hex'));
  if (!held) return null;
  const { id, name, project, role } = held.key;
  await markUsed(db, [id], clock.now());
  return { id, name, project, role, until: held.until === null ? null : isoTime(held.until) };
}

/** For gateways, which decide from memory: what was used, and every digest that holds where that has changed. */
export async function syncApiKeys(
  { version, used }: { version: string; used: readonly string[] },
  { db, clock }: IdentityContext,
) {
  await markUsed(db, used, clock.now());
  const current = await keysVersion(db);
  if (current === version) return { version, keys: null };
  const held = await heldKeys(db, clock.now());
  const keys = held.map(({ digest, key, until }) => ({
    digest,
    id: key.id,
    name: key.name,
    project: key.project,
    until: until === null ? null : isoTime(until),
  }));
  return { version: current, keys };
}

async function lockKey(db: Db, project: string, id: string): Promise<ApiKey> {
  await lockProject(db, project);
  return present(db, project, id);
}

async function present(db: Db, project: string, id: string): Promise<ApiKey> {
  return (await findKey(db, project, id)) ?? notFound(`${project} has no key ${id}; list them to see which there are`);
}

type Told = Pick<ApiKey, 'id' | 'project' | 'name' | 'role'>;

function told(type: Extract<EventType, `skyrun.key.${string}`>, { id, project, name, role }: Told) {
  return { type, subject: `projects/${project}/keys/${name}`, project, data: { id, project, name, role } };
}

async function audit(db: Db, action: string, { id, project, name, role }: Told, origin: Origin, at: number) {
  const { userId, address } = origin;
  const target = `projects/${project}/keys/${name}`;
  await appendAudit(db, { at, actorId: userId, action, target, address, details: { id, role } });
}

function notFound(detail: string): never {
  throw new Problem('resource.not_found', { detail });
}
