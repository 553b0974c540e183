import { type Clock, createTicker, type Logger, newId } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { lockReference } from '../store/images.ts';
import type { Store, Tables } from '../store/tables.ts';
import type { ImageEngine } from './image-engine.ts';

/**
 * What the engine may hold although no image row says so. Each import is announced here before it begins, so whatever ends
 * it — a failure, a lost client, a crash — the janitor finds it and removes what was imported:
 *
 *   announce ──► import (lease renewed) ──► row written, intent gone
 *                   │ failed: intent becomes `remove`      │ crashed: lease ends
 *                   └──────────────► janitor ◄─────────────┘  removes the image unless a row needs it
 *
 * The janitor claims a removal by a lease of its own, as no transaction is to wait for the engine; an import of the same
 * image waits until the removal is over.
 */
export interface ImageIntents {
  announce(reference: string): Promise<Announcement>;
  /** Works off one reference now rather than at the next round; what fails is tried again then. */
  sweep(reference: string): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export interface Announcement {
  /** In the transaction that writes the image's row. */
  fulfil(store: Store): Promise<void>;
  /** The import failed. */
  abandon(): Promise<void>;
}

const LEASE_MS = 60_000;
const RENEW_MS = 20_000;
const ROUND_MS = 30_000;
const ENGINE_LIMIT_MS = 30_000;
const REMOVAL_LOOK_MS = 100;

/** To be called in the transaction that deletes an image's row. */
export async function intendRemoval(store: Store, reference: string, clock: Clock): Promise<void> {
  await store
    .insertInto('image_intents')
    .values({ id: newId('image', clock), reference, kind: 'remove', lease_until: new Date(clock.now()) })
    .execute();
}

export function createImageIntents(options: {
  readonly db: Database;
  readonly engine: ImageEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}): ImageIntents {
  const { db, engine, clock, logger } = options;
  const leaseEnd = () => new Date(clock.now() + LEASE_MS);

  /** What is to be removed and nobody is removing: the ids, claimed for as long as the engine may take and more. */
  function claimRemoval(reference: string): Promise<string[]> {
    return db.transaction(async (tx) => {
      const store = tx.kysely<Tables>();
      await lockReference(store, reference);
      const now = new Date(clock.now());
      const needed = await store
        .selectFrom('images')
        .select('id')
        .where('reference', '=', reference)
        .executeTakeFirst();
      const atWork = await store
        .selectFrom('image_intents')
        .select('kind')
        .where('reference', '=', reference)
        .where('lease_until', '>', now)
        .execute();
      if (atWork.some(({ kind }) => kind === 'remove')) return [];
      if (needed !== undefined || atWork.length > 0) {
        await store
          .deleteFrom('image_intents')
          .where('reference', '=', reference)
          .where('lease_until', '<=', now)
          .execute();
        return [];
      }
      const claimed = await store
        .updateTable('image_intents')
        .set({ kind: 'remove', lease_until: leaseEnd() })
        .where('reference', '=', reference)
        .returning('id')
        .execute();
      return claimed.map(({ id }) => id);
    });
  }

  async function removeUnneeded(reference: string): Promise<void> {
    // It runs from before the claim, so that nothing is removed once the claim is over, however long this stalls.
    const limit = AbortSignal.timeout(ENGINE_LIMIT_MS);
    const ids = await claimRemoval(reference);
    if (ids.length === 0) return;
    const intents = db.kysely<Tables>();
    try {
      limit.throwIfAborted();
      await engine.remove(reference, limit);
    } catch (error) {
      await intents
        .updateTable('image_intents')
        .set({ lease_until: new Date(clock.now()) })
        .where('id', 'in', ids)
        .execute();
      throw error;
    }
    await intents.deleteFrom('image_intents').where('id', 'in', ids).execute();
  }

  /** False while the reference is being removed. */
  function announceImport(id: string, reference: string): Promise<boolean> {
    return db.transaction(async (tx) => {
      const store = tx.kysely<Tables>();
      await lockReference(store, reference);
      const removal = await store
        .selectFrom('image_intents')
        .select('id')
        .where('reference', '=', reference)
        .where('kind', '=', 'remove')
        .where('lease_until', '>', new Date(clock.now()))
        .executeTakeFirst();
      if (removal !== undefined) return false;
      await store
        .insertInto('image_intents')
        .values({ id, reference, kind: 'import', lease_until: leaseEnd() })
        .execute();
      return true;
    });
  }

  async function round(signal: AbortSignal): Promise<void> {
    const due = await db
      .kysely<Tables>()
      .selectFrom('image_intents')
      .select('reference')
      .distinct()
      .where('lease_until', '<=', new Date(clock.now()))
      .limit(50)
      .execute();
    for (const { reference } of due) {
      if (signal.aborted) return;
      await sweep(reference);
    }
  }

  async function sweep(reference: string): Promise<void> {
    try {
      await removeUnneeded(reference);
    } catch (error) {
      logger.warn({ reference, error }, 'image not removed from the engine; will be tried again');
    }
  }

  const ticker = createTicker({ name: 'registry.images', clock, logger, everyMs: ROUND_MS, run: round });

  return {
    async announce(reference) {
      const id = newId('image', clock);
      while (!(await announceImport(id, reference))) await clock.sleep(REMOVAL_LOOK_MS);
      const renewal = createTicker({
        name: 'registry.image-lease',
        clock,
        logger,
        everyMs: RENEW_MS,
        async run() {
          await db
            .kysely<Tables>()
            .updateTable('image_intents')
            .set({ lease_until: leaseEnd() })
            .where('id', '=', id)
            .where('kind', '=', 'import')
            .execute();
        },
      });
      renewal.start();
      return {
        async fulfil(store) {
          await renewal.stop();
          await lockReference(store, reference);
          await store.deleteFrom('image_intents').where('id', '=', id).execute();
        },
        async abandon() {
          await renewal.stop();
          await db
            .kysely<Tables>()
            .updateTable('image_intents')
            .set({ kind: 'remove', lease_until: new Date(clock.now()) })
            .where('id', '=', id)
            .execute();
        },
      };
    },
    sweep,
    start: () => ticker.start(),
    stop: () => ticker.stop(),
  };
}
