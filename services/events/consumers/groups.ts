import { EVENT_TYPES, type FlowObserved, isTeamType, matchesType, PLATFORM_GROUPS } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Db } from '../store/tables.ts';

/** A consumer group that was heard of lately is written down again only after so long. */
const WRITE_EVERY_MS = 30_000;

export interface KnownGroup {
  readonly name: string;
  /** Null: the platform's own, or one that named no project. */
  readonly project: string | null;
  readonly types: readonly string[];
  /** RFC 3339; null: not heard of yet. */
  readonly seenAt: string | null;
}

const typeList = z.array(z.string());

/** Every consumer group that was ever heard of, and the platform's own. */
export function createGroups({ db, clock }: { readonly db: Db; readonly clock: Clock }) {
  const written = new Map<string, number>();
  return {
    /** A consumer has said that it is there. */
    async heard({ group, project, types }: FlowObserved): Promise<void> {
      const now = clock.now();
      const key = `${group} ${project ?? ''} ${types.join(' ')}`;
      if ((written.get(key) ?? 0) > now - WRITE_EVERY_MS) return;
      written.set(key, now);
      const told = { project: project ?? null, types: JSON.stringify(types), seen_at: new Date(now) };
      await db
        .insertInto('consumer_groups')
        .values({ name: group, ...told })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(told))
        .execute();
    },

    async list(): Promise<KnownGroup[]> {
      const rows = await db.selectFrom('consumer_groups').selectAll().orderBy('name').execute();
      const heard = new Map(rows.map((row) => [row.name, row]));
      const own = Object.values(PLATFORM_GROUPS).map(({ group, types }): KnownGroup => {
        const seenAt = heard.get(group)?.seen_at.toISOString() ?? null;
        heard.delete(group);
        return { name: group, project: null, types, seenAt };
      });
      const others = [...heard.values()].map((row) => ({
        name: row.name,
        project: row.project,
        types: typeList.parse(row.types),
        seenAt: row.seen_at.toISOString(),
      }));
      return [...own, ...others];
    },

    /** Keeps the count of dead letters. Returns the one before; null: nobody else may tell of it, as it was told already. */
    async countLetters(tx: Db, name: string, letters: number): Promise<number | null> {
      const known = { project: null, types: '[]', seen_at: new Date(0) };
      await tx
        .insertInto('consumer_groups')
        .values({ name, ...known })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const { rows } = await sql<{ before: number }>`
        UPDATE consumer_groups AS fresh SET letters = ${letters}
        FROM (SELECT name, letters FROM consumer_groups WHERE name = ${name} FOR UPDATE) AS old
        WHERE fresh.name = old.name AND old.letters <> ${letters}
        RETURNING old.letters AS before`.execute(tx);
      return rows[0]?.before ?? null;
    },
  };
}

export type Groups = ReturnType<typeof createGroups>;

/** Whether a group gets a type. */
export function consumes(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => pattern === type || (matchesType(pattern, type) && isKnown(type)));
}

function isKnown(type: string): boolean {
  return isTeamType(type) || EVENT_TYPES.some((known) => known === type);
}
