import { Problem, type Registration, registration } from '@skyrun/contracts';
import { type Clock, newId } from '@skyrun/kit';
import { type Selectable, sql } from 'kysely';
import type { Db, EventsTables } from '../store/tables.ts';

/** Told the project of each change, at commit. */
export const REGISTRATIONS_CHANNEL = 'skyrun_registrations';

/** An expired registration is shown for so long, then forgotten. */
const SHOWN_MS = 3_600_000;

export interface RegistrationDraft {
  readonly name: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly ttlSeconds: number;
  readonly healthUrl?: string | undefined;
}

export interface RegistrationQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly name?: string | undefined;
  readonly health?: string | undefined;
}

export interface ProbeTarget {
  readonly id: string;
  readonly project: string;
  readonly url: string;
}

interface Key {
  readonly project: string;
  readonly id: string;
}

/** Where team services find each other. A copy that stops saying that it is there expires by the clock, without a sweep. */
export function createRegistrations({ db, clock }: { readonly db: Db; readonly clock: Clock }) {
  const expiry = (ttlSeconds: number) => new Date(clock.now() + ttlSeconds * 1000);
  const forgotten = () => new Date(clock.now() - SHOWN_MS);
  const tell = async (project: string) => {
    await sql`SELECT pg_notify(${REGISTRATIONS_CHANNEL}, ${project})`.execute(db);
  };
  const view = (row: Selectable<EventsTables['registrations']>) => toRegistration(row, clock.now());

  return {
    async register(
      project: string,
      { name, address, metadata, ttlSeconds, healthUrl }: RegistrationDraft,
    ): Promise<Registration> {
      const now = new Date(clock.now());
      const told = {
        metadata: JSON.stringify(metadata),
        ttl_seconds: ttlSeconds,
        health: 'healthy',
        message: '',
        registered_at: now,
        seen_at: now,
        expires_at: expiry(ttlSeconds),
        health_url: healthUrl ?? null,
        probed_at: null,
      };
      const row = await db
        .insertInto('registrations')
        .values({ id: newId('registration', clock), project, name, address, ...told })
        .onConflict((conflict) => conflict.columns(['project', 'name', 'address']).doUpdateSet(told))
        .returningAll()
        .executeTakeFirstOrThrow();
      await tell(project);
      return view(row);
    },

    /** Copies with an `http:` address that are there and not unhealthy, of every project. */
    async reachable(): Promise<{ id: string; project: string; name: string; address: string }[]> {
      return await db
        .selectFrom('registrations')
        .select(['id', 'project', 'name', 'address'])
        .where('expires_at', '>', new Date(clock.now()))
        .where('health', 'in', ['healthy', 'degraded'])
        .where('address', 'like', 'http://%')
        .orderBy('id')
        .execute();
    },

    async heartbeat({ project, id }: Key, state: { health: string; message: string }): Promise<Registration> {
      const now = new Date(clock.now());
      const row = await db
        .updateTable('registrations')
        .set((row) => ({
          // What asking showed is truer than what a copy says of itself.
          health: row.case().when('probed_at', 'is', null).then(state.health).else(row.ref('health')).end(),
          message: row.case().when('probed_at', 'is', null).then(state.message).else(row.ref('message')).end(),
          seen_at: now,
          expires_at: sql<Date>`${now}::timestamptz + ttl_seconds * interval '1 second'`,
        }))
        .where('project', '=', project)
        .where('id', '=', id)
        .where('expires_at', '>', forgotten())
        .returningAll()
        .executeTakeFirst();
      if (!row) return missing();
      await tell(project);
      return view(row);
    },

    async list(project: string, { limit, cursor, name, health }: RegistrationQuery) {
      const now = new Date(clock.now());
      let query = db
        .selectFrom('registrations')
        .selectAll()
        .where('project', '=', project)
        .where('expires_at', '>', forgotten());
      if (cursor !== undefined) query = query.where('id', '>', cursor);
      if (name !== undefined) query = query.where('name', '=', name);
      if (health === 'expired') query = query.where('expires_at', '<=', now);
      else if (health !== undefined) query = query.where('health', '=', health).where('expires_at', '>', now);
      const rows = await query
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(view);
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async deregister({ project, id }: Key): Promise<void> {
      const result = await db
        .deleteFrom('registrations')
        .where('project', '=', project)
        .where('id', '=', id)
        .executeTakeFirst();
      if (result.numDeletedRows === 0n) missing();
      await tell(project);
    },

    /** Copies whose health was not asked for since then. */
    async dueForProbe(before: number, limit: number): Promise<ProbeTarget[]> {
      const rows = await db
        .selectFrom('registrations')
        .select(['id', 'project', 'health_url'])
        .where('health_url', 'is not', null)
        .where('expires_at', '>', new Date(clock.now()))
        .where((where) => where.or([where('probed_at', 'is', null), where('probed_at', '<=', new Date(before))]))
        .orderBy('probed_at', (order) => order.asc().nullsFirst())
        .limit(limit)
        .execute();
      return rows.flatMap(({ id, project, health_url: url }) => (url === null ? [] : [{ id, project, url }]));
    },

    /** The answer is dropped when the copy has gone or asks for another URL by now. */
    async probed({ id, project, url }: ProbeTarget, state: { health: string; message: string }): Promise<void> {
      await db
        .updateTable('registrations')
        .set({ ...state, probed_at: new Date(clock.now()) })
        .where('id', '=', id)
        .where('health_url', '=', url)
        .execute();
      await tell(project);
    },

    async forgetExpired(): Promise<void> {
      await db.deleteFrom('registrations').where('expires_at', '<=', forgotten()).execute();
    },
  };
}

export type Registrations = ReturnType<typeof createRegistrations>;

function toRegistration(row: Selectable<EventsTables['registrations']>, now: number): Registration {
  return registration.parse({
    id: row.id,
    project: row.project,
    name: row.name,
    address: row.address,
    metadata: row.metadata,
    healthUrl: row.health_url,
    ttlSeconds: row.ttl_seconds,
    health: row.expires_at.getTime() <= now ? 'expired' : row.health,
    message: row.message,
    registeredAt: row.registered_at.toISOString(),
    seenAt: row.seen_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  });
}

function missing(): never {
  throw new Problem('resource.not_found', { detail: 'there is no such registration in this project; register again' });
}
