import { addDomain, removeDomain } from '../domains/domains.ts';
import type { StoredObject } from '../store/kubernetes.ts';
import type { UseCaseDeps } from '../use-case.ts';
import { type DeleteOptions, requireConditions } from './delete-object.ts';
import { type Mapping, readMapping, renderDomainMapping } from './domain-mapping.ts';
import { type JsonObject, textAt } from './json.ts';
import { kindOf } from './kinds.ts';
import { shownObject } from './present.ts';
import { getObject, type ReadDeps } from './read-objects.ts';
import { rollingBack } from './rolling-back.ts';
import { type About, badRequest, conflict, invalid, notFound, toStatusError } from './status.ts';
import type { WriteOptions, Written } from './write-objects.ts';

type MappingDeps = ReadDeps & UseCaseDeps & { readonly projectDomains: number };

interface Change {
  readonly project: string;
  readonly options: WriteOptions;
}

const aboutOf = (name: string): About => ({ resource: 'domainmappings', name });

/** Claims a domain for a service; it leads there once it is proved. @throws StatusError */
export async function createMapping(
  { project, options, body }: Change & { readonly body: unknown },
  deps: MappingDeps,
): Promise<Written> {
  return await claim(project, readMapping(body, { project, name: null }), options, deps);
}

/** Server-side apply: claims it, or finds it as it is wanted. @throws StatusError */
export async function applyMapping(
  { project, name, options, body }: Change & { readonly name: string; readonly body: unknown },
  deps: MappingDeps,
): Promise<Written> {
  const wanted = readMapping(body, { project, name });
  const live = await getObject(deps, kindOf('DomainMapping'), project, name);
  return live === null ? await claim(project, wanted, options, deps) : same(live, wanted);
}

/** What `change` makes of it must be what it is: another service asks for another proof. @throws StatusError */
export async function changeMapping(
  { project, name, change }: Change & { readonly name: string; readonly change: (object: JsonObject) => unknown },
  deps: MappingDeps,
): Promise<Written> {
  const live = await getObject(deps, kindOf('DomainMapping'), project, name);
  if (live === null) throw notFound(aboutOf(name));
  return same(live, readMapping(change(shownObject(live)), { project, name }));
}

function same(live: StoredObject, { name, service, uid, resourceVersion, warnings }: Mapping): Written {
  const about = aboutOf(name);
  if (uid !== undefined && uid !== textAt(live.object, 'metadata', 'uid')) throw conflict(about, 'uid mismatch');
  if (resourceVersion !== undefined && resourceVersion !== live.version.toString()) {
    throw conflict(
      about,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
  const leads = textAt(live.object, 'spec', 'ref', 'name');
  if (service !== leads) {
    const message = `leads to ${leads}; delete the mapping and create it anew to lead it elsewhere, with a new proof`;
    throw invalid(about, [{ reason: 'FieldValueInvalid', field: 'spec.ref.name', message }]);
  }
  return { object: shownObject(live), created: false, warnings };
}

async function claim(
  project: string,
  { name, service, resourceVersion, warnings }: Mapping,
  { dryRun }: WriteOptions,
  deps: MappingDeps,
): Promise<Written> {
  if (resourceVersion !== undefined) throw badRequest('resourceVersion should not be set on objects to be created');
  const about = aboutOf(name);
  const db = dryRun ? rollingBack(deps.db) : deps.db;
  const domain = await addDomain({ project, name, service }, { ...deps, db }).catch((error: unknown) => {
    throw toStatusError(error, about);
  });
  if (dryRun) return { object: renderDomainMapping(domain).object, created: true, warnings };
  const object = await getObject(deps, kindOf('DomainMapping'), project, name);
  if (object === null) throw notFound(about);
  return { object: shownObject(object), created: true, warnings };
}

/** @returns the object as it was last. @throws StatusError */
export async function deleteMapping(
  { project, name, options }: { readonly project: string; readonly name: string; readonly options: DeleteOptions },
  deps: MappingDeps,
): Promise<JsonObject> {
  const about = aboutOf(name);
  const object = await getObject(deps, kindOf('DomainMapping'), project, name);
  if (object === null) throw notFound(about);
  requireConditions(options, object, about);
  const db = options.dryRun ? rollingBack(deps.db) : deps.db;
  await removeDomain({ project, name }, { ...deps, db });
  if (!options.dryRun) await deps.book.refresh({ ids: [object.serviceId] }, ['DomainMapping']);
  return shownObject(object);
}
