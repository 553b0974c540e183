import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely';

/** A Kysely over one client that someone else owns: it neither opens, releases nor closes it. */
export function kyselyOver<Tables>(acquire: () => Promise<PostgresPoolClient>): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: new PostgresDialect({
      pool: { options: {}, connect: acquire, end: () => Promise.resolve() },
    }),
  });
}
