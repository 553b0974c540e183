import type { Logger } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { sealedOtherwise } from '../store/secrets.ts';
import type { Tables } from '../store/tables.ts';
import type { Vault } from './vault.ts';

const BATCH = 100;

/** After a change of the key: seals all values under the new one, so that the old one can be forgotten. */
export async function resealSecrets(deps: {
  readonly db: Database;
  readonly vault: Vault;
  readonly logger: Logger;
}): Promise<void> {
  const { db, vault, logger } = deps;
  for (let resealed = 0; ; ) {
    const count = await db.transaction(async (tx) => {
      const store = tx.kysely<Tables>();
      const rows = await sealedOtherwise(store, vault.keyId, BATCH);
      for (const { secret_id: secretId, version, sealed, key_id: keyId } of rows) {
        const place = { secretId, version };
        const anew = vault.seal(vault.open({ sealed, keyId }, place), place);
        await store
          .updateTable('secret_versions')
          .set({ sealed: anew.sealed, key_id: anew.keyId })
          .where('secret_id', '=', secretId)
          .where('version', '=', version)
          .execute();
      }
      return rows.length;
    });
    resealed += count;
    if (count < BATCH) {
      if (resealed > 0)
        logger.info({ resealed }, 'secrets are sealed under the new key; the old one is not needed any more');
      return;
    }
  }
}
