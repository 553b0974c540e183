import { createHash } from 'node:crypto';
import { Problem, type Service } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Store } from './store/tables.ts';

/** How long a key is remembered, in milliseconds. */
export const IDEMPOTENCY_MS = 24 * 3600 * 1000;

export interface IdempotentRequest {
  readonly caller: string;
  /** The operation, and where it was asked for. */
  readonly operation: string;
  readonly key: string;
  readonly body: unknown;
}

/**
 * Does `work` once per key: a repetition gets the first answer. A failure leaves no mark, as it leaves nothing else.
 * Must run inside the transaction of the work. A repetition that comes while the first is at work waits for it, because
 * both insert the same row.
 * @throws Problem `request.idempotency_conflict` where the key came with another request, `request.invalid`
 */
export async function onceByKey(
  store: Store,
  request: IdempotentRequest,
  clock: Clock,
  work: () => Promise<Service>,
): Promise<{ response: Service; replayed: boolean }> {
  const { caller, operation, key } = request;
  if (key.length > 255 || key === '') {
    const error = { field: '#header/Idempotency-Key', message: 'expected 1 to 255 characters' };
    throw new Problem('request.invalid', { detail: `${error.field}: ${error.message}`, errors: [error] });
  }
  const requestHash = createHash('sha256').update(JSON.stringify(request.body)).digest('hex');
  const now = clock.now();
  await forgetOld(store, now);
  const inserted = await store
    .insertInto('idempotency_keys')
    .values({ caller, operation, key, request_hash: requestHash, response: 'null', created_at: new Date(now) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  const mine = () =>
    store
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('caller', '=', caller)
      .where('operation', '=', operation)
      .where('key', '=', key);
  if (inserted === undefined) {
    const known = await mine().executeTakeFirst();
    if (known === undefined) throw new Problem('resource.conflict', { detail: 'Repeat the request' });
    if (known.request_hash !== requestHash) {
      throw new Problem('request.idempotency_conflict', { detail: 'Use a new Idempotency-Key for another request' });
    }
    return { response: known.response, replayed: true };
  }
  const response = await work();
  await store
    .updateTable('idempotency_keys')
    .set({ response: JSON.stringify(response) })
    .where('caller', '=', caller)
    .where('operation', '=', operation)
    .where('key', '=', key)
    .execute();
  return { response, replayed: false };
}

async function forgetOld(store: Store, now: number): Promise<void> {
  await store
    .deleteFrom('idempotency_keys')
    .where('created_at', '<', new Date(now - IDEMPOTENCY_MS))
    .execute();
}
