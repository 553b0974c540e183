import { OPERATIONS } from '@skyrun/contracts';
import { type Api, reply } from '@skyrun/kit';
import { readPage } from '../paging.ts';
import { findDomain, listDomains } from '../store/domains.ts';
import type { Tables } from '../store/tables.ts';
import { type CheckDeps, checkDomain } from './check-domain.ts';
import { addDomain, noDomain, removeDomain, toDomain } from './domains.ts';

export function bindDomains(api: Api, deps: CheckDeps & { readonly projectDomains: number }): void {
  const { db, address } = deps;
  const store = () => db.kysely<Tables>();

  api.handle(
    OPERATIONS.listDomains,
    async ({ params, query }) =>
      await readPage({
        list: 'domains',
        query,
        read: (after, limit) => listDomains(store(), params.project, after, limit),
        keyOf: ({ name }) => name,
        view: (row) => toDomain(row, address),
      }),
  );

  api.handle(OPERATIONS.addDomain, async ({ params, body }) => reply(await addDomain({ ...params, ...body }, deps)));

  api.handle(OPERATIONS.getDomain, async ({ params: { project, domain: name } }) => {
    const row = await findDomain(store(), project, name);
    if (row === undefined) throw noDomain({ project, name });
    return toDomain(row, address);
  });

  api.handle(OPERATIONS.verifyDomain, async ({ params: { project, domain: name } }) =>
    checkDomain({ project, name }, deps),
  );

  api.handle(OPERATIONS.removeDomain, async ({ params: { project, domain: name } }) => {
    await removeDomain({ project, name }, deps);
    return undefined;
  });
}
