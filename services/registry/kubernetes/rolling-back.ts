import type { Database } from '@skyrun/postgres';

class RolledBack extends Error {
  override readonly name = 'RolledBack';
  readonly result: unknown;
  constructor(result: unknown) {
    super('rolled back on purpose');
    this.result = result;
  }
}

/** The same database, but what is done in its transactions is undone at their end: a use case that only says what it would do. */
export function rollingBack(db: Database): Database {
  return {
    ...db,
    async transaction(work, options) {
      try {
        return await db.transaction(async (tx) => {
          throw new RolledBack(await work(tx));
        }, options);
      } catch (error) {
        if (error instanceof RolledBack) return error.result as Awaited<ReturnType<typeof work>>;
        throw error;
      }
    },
  };
}
