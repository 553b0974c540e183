import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import { reply } from '@skyrun/kit';
import { readPage } from '../paging.ts';
import { listSecrets } from '../store/secrets.ts';
import type { Tables } from '../store/tables.ts';
import { addSecretVersion, createSecret, deleteSecret, resolveSecrets, type SecretDeps, toSecret } from './secrets.ts';

export function bindSecrets(api: Api, deps: SecretDeps): void {
  const store = () => deps.db.kysely<Tables>();

  api.handle(OPERATIONS.listSecrets, async ({ params, query }) => {
    const { items, nextCursor } = await readPage({
      list: 'secrets',
      query,
      read: (after, limit) => listSecrets(store(), params.project, after, limit),
      keyOf: ({ name }) => name,
      view: (row) => row,
    });
    return { items: await Promise.all(items.map((row) => toSecret(store(), row))), nextCursor };
  });

  api.handle(OPERATIONS.createSecret, async ({ params, body }) =>
    reply(await createSecret({ ...params, ...body }, deps)),
  );

  api.handle(OPERATIONS.addSecretVersion, async ({ params: { project, secret: name }, body: { value } }) =>
    reply(await addSecretVersion({ project, name, value }, deps)),
  );

  api.handle(OPERATIONS.deleteSecret, async ({ params: { project, secret: name } }) => {
    await deleteSecret({ project, name }, deps);
    return undefined;
  });

  api.handle(OPERATIONS.resolveSecrets, async ({ body }) => ({ values: await resolveSecrets(body, deps) }));
}
