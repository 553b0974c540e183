import { OPERATIONS, type Tokens } from '@skyrun/contracts';
import { silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll } from 'vitest';
import { type Running, startIdentity } from './identity.fixture.ts';

/** An identity service on a database of this file's own, from before its first test until after its last. */
export function useIdentity() {
  let url: string;
  let drop: () => Promise<void>;
  let db: Database;
  let identity: Running;
  let people = 0;

  beforeAll(async () => {
    ({ url, drop } = await testDatabase('identity'));
    db = createDatabase({ url, schema: 'identity', applicationName: 'identity-test', logger: silentLogger });
    identity = await startIdentity(url);
  });
  afterAll(async () => {
    await identity.stop();
    await db.close();
    await drop();
  });

  return {
    databaseUrl: () => url,
    identity: () => identity,
    query: <Row extends object>(sql: string, parameters?: unknown[]) => db.query<Row>(sql, parameters),
    /** Somebody new each time. */
    signUp(): Promise<Tokens> {
      people += 1;
      const body = {
        email: `Person${people}@Example.com`,
        password: 'correct horse battery',
        name: `Person ${people}`,
      };
      return identity.as(null).call(OPERATIONS.signUp, { body });
    },
    signIn: (email: string, password: string, address?: string) =>
      identity.as(null, address).call(OPERATIONS.signIn, { body: { email, password } }),
    refresh: (refreshToken: string) => identity.as(null).call(OPERATIONS.refresh, { body: { refreshToken } }),
  };
}
