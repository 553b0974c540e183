import { OPERATIONS } from '@skyrun/contracts';
import { type Api, reply } from '@skyrun/kit';
import type { IdentityContext } from '../context.ts';
import { originOf } from '../origin.ts';
import { decodeCursor, toPage } from '../paging.ts';
import { listKeys } from './store.ts';
import { createApiKey, identifyApiKey, revokeApiKey, rotateApiKey, syncApiKeys } from './usecases.ts';

/** A key must not stay in any cache on the way. */
const NO_STORE = { headers: { 'cache-control': 'no-store' } };

export function bindApiKeys(api: Api, context: () => IdentityContext): void {
  api.handle(OPERATIONS.listApiKeys, async ({ params: { project }, query: { limit, cursor } }) => {
    const keys = await listKeys(context().db, { project, afterName: decodeCursor(cursor), limit });
    return toPage(keys, limit, ({ name }) => name);
  });
  api.handle(OPERATIONS.createApiKey, async (call) =>
    reply(await createApiKey({ ...call.params, ...call.body, origin: originOf(call) }, context()), {
      ...NO_STORE,
      status: 201,
    }),
  );
  api.handle(OPERATIONS.rotateApiKey, async (call) =>
    reply(await rotateApiKey({ ...call.params, ...call.body, origin: originOf(call) }, context()), NO_STORE),
  );
  api.handle(OPERATIONS.revokeApiKey, async (call) => {
    await revokeApiKey({ ...call.params, origin: originOf(call) }, context());
    return undefined;
  });
  api.handle(OPERATIONS.identifyApiKey, async ({ body }) => ({ key: await identifyApiKey(body, context()) }));
  api.handle(OPERATIONS.syncApiKeys, ({ body }) => syncApiKeys(body, context()));
}
