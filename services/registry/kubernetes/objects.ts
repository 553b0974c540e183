import { KNATIVE_GROUP } from '@skyrun/contracts';
import {
  credentialOf,
  includeOf,
  isTrue,
  type KubernetesCall,
  mediaType,
  numberOf,
  readBody,
  sendJson,
  writeOptions,
} from './call.ts';
import { deleteObject, readDeleteOptions } from './delete-object.ts';
import { applyMapping, changeMapping, createMapping, deleteMapping } from './domain-mappings.ts';
import { textAt, toJson } from './json.ts';
import type { Kind } from './kinds.ts';
import { type Form, formOf } from './negotiate.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { presentList, presentOne, shownObject } from './present.ts';
import type { Projects } from './projects.ts';
import { getObject, listObjects, type Selection } from './read-objects.ts';
import { permissionOf } from './reviews.ts';
import { fieldSelector, labelSelector } from './selectors.ts';
import { methodNotAllowed, notFound, StatusError, successOf } from './status.ts';
import type { Target } from './target.ts';
import { type WatchDeps, watchObjects } from './watch.ts';
import {
  applyObject,
  createObject,
  patchObject,
  updateObject,
  type WriteDeps,
  type WriteOptions,
  type Written,
} from './write-objects.ts';

export interface ObjectDeps extends WatchDeps, WriteDeps {
  readonly projects: Projects;
}

type ObjectTarget = Target & { kind: 'objects' };

const JSON_OR_YAML = ['application/json', 'application/yaml'];
const PATCHES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
/** How long a watch goes on that names no time, in seconds; the client comes back. */
const WATCH_SECONDS = 1800;

/** Services, what follows them, and the domains that lead to them. */
export async function serveObjects(target: ObjectTarget, call: KubernetesCall, deps: ObjectDeps): Promise<void> {
  const verb = verbOf(target, call);
  if (!target.of.verbs.includes(verb)) throw refusedVerb(target, verb);
  if (target.project !== null) await requirePermission(target, verb, call);
  const form = formOf(call.request.headers.accept);
  if (form === null) throw new StatusError(406, 'NotAcceptable', 'only application/json is served');
  if (verb === 'list') await list(target, form, call, deps);
  else if (verb === 'watch') await watch(target, form, call, deps);
  else if (target.project === null) throw refusedVerb(target, verb);
  else if (verb === 'create') await change(target, form, call, deps, target.project);
  else if (target.name === null) throw refusedVerb(target, verb);
  else if (verb === 'get') await get(target.of, target.project, target.name, form, call, deps);
  else if (verb === 'delete') await remove(target.of, target.project, target.name, call, deps);
  else await change(target, form, call, deps, target.project, target.name);
}

function verbOf({ name }: ObjectTarget, { method, query }: KubernetesCall): string {
  switch (method) {
    case 'GET':
      if (isTrue(query, 'watch')) return 'watch';
      return name === null ? 'list' : 'get';
    case 'POST':
      return name === null ? 'create' : 'post';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === null ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}

function refusedVerb({ of }: ObjectTarget, verb: string): StatusError {
  const why = of.verbs.includes('create') ? '' : `: ${of.plural} follow their service; change that one`;
  return methodNotAllowed(`the server does not allow the verb ${verb} on ${of.plural}${why}`);
}

async function requirePermission(
  { of, project, name }: ObjectTarget,
  verb: string,
  call: KubernetesCall,
): Promise<void> {
  const { caller, authenticator } = call;
  if (await authenticator.can(caller, permissionOf(verb), project)) return;
  const what = `${of.plural}.${KNATIVE_GROUP}${name === null ? '' : ` "${name}"`}`;
  throw new StatusError(
    403,
    'Forbidden',
    `${what} is forbidden: User "${caller.email}" cannot ${verb} resource "${of.plural}" in API group "${KNATIVE_GROUP}" in the namespace "${project}"`,
  );
}

/** What the caller may see and asks for. Null projects are all: an administrator's. */
async function selectionOf(target: ObjectTarget, call: KubernetesCall, deps: ObjectDeps): Promise<Selection> {
  const { query, caller } = call;
  const fields = fieldSelector(query.get('fieldSelector') ?? '');
  return {
    projects: target.project === null ? await visibleProjects() : [target.project],
    fields: target.name === null ? fields : { ...fields, name: target.name },
    labels: labelSelector(query.get('labelSelector') ?? ''),
  };

  async function visibleProjects(): Promise<string[] | null> {
    if (caller.admin) return null;
    const all = (await deps.projects.list(credentialOf(call.request))).map(({ name }) => name);
    const may = await Promise.all(all.map((name) => call.authenticator.can(caller, 'services.read', name)));
    return all.filter((_, index) => may[index] === true);
  }
}

async function list(target: ObjectTarget, form: Form, call: KubernetesCall, deps: ObjectDeps): Promise<void> {
  const { query, response } = call;
  const selection = await selectionOf(target, call, deps);
  const page = { limit: numberOf(query, 'limit'), continue: query.get('continue') || undefined };
  const found = await listObjects(deps, target.of, selection, page);
  const fields = {
    resourceVersion: found.version.toString(),
    ...(found.continue === undefined ? {} : { continue: found.continue }),
  };
  const shown = presentList(found.objects.map(shownObject), target.of, form, {
    include: includeOf(query),
    now: deps.clock.now(),
    fields,
  });
  sendJson(response, 200, shown);
}

async function watch(target: ObjectTarget, form: Form, call: KubernetesCall, deps: ObjectDeps): Promise<void> {
  const { query, caller, response, signal } = call;
  const selection = await selectionOf(target, call, deps);
  const asked = (numberOf(query, 'timeoutSeconds') || WATCH_SECONDS) * 1000;
  const resourceVersion = query.get('resourceVersion') ?? '';
  await watchObjects(
    {
      kind: target.of,
      selection,
      form,
      include: includeOf(query),
      resourceVersion,
      sendInitialEvents: isTrue(query, 'sendInitialEvents'),
      bookmarks: isTrue(query, 'allowWatchBookmarks'),
      // What the credentials allow ends with them.
      timeoutMs: Math.min(asked, WATCH_SECONDS * 1000, caller.expiresAt - deps.clock.now()),
      signal,
    },
    response,
    deps,
  );
}

async function get(
  kind: Kind,
  project: string,
  name: string,
  form: Form,
  call: KubernetesCall,
  deps: ObjectDeps,
): Promise<void> {
  const object = await getObject(deps, kind, project, name);
  if (object === null) throw notFound({ resource: kind.plural, name });
  sendJson(
    call.response,
    200,
    presentOne(shownObject(object), kind, form, { include: includeOf(call.query), now: deps.clock.now() }),
  );
}

async function change(
  { of }: ObjectTarget,
  form: Form,
  call: KubernetesCall,
  deps: ObjectDeps,
  project: string,
  name?: string,
): Promise<void> {
  const { request, response, query, caller } = call;
  const options = writeOptions(query, request, caller.userId);
  const written =
    of.kind === 'DomainMapping'
      ? await writeMapping(project, name ?? null, call, options, deps)
      : name === undefined
        ? await createObject({ project, body: await readBody(request, JSON_OR_YAML), options }, deps)
        : call.method === 'PUT'
          ? await updateObject({ project, name, body: await readBody(request, JSON_OR_YAML), options }, deps)
          : await patch(project, name, call, options, deps);
  const shown = presentOne(written.object, of, form, { include: includeOf(query), now: deps.clock.now() });
  sendJson(response, written.created ? 201 : 200, shown, { warnings: written.warnings });
}

async function writeMapping(
  project: string,
  name: string | null,
  { request, method }: KubernetesCall,
  options: WriteOptions,
  deps: ObjectDeps,
): Promise<Written> {
  if (name === null)
    return await createMapping({ project, body: await readBody(request, JSON_OR_YAML), options }, deps);
  const type = method === 'PUT' ? 'application/json' : mediaType(request);
  const body = await readBody(request, method === 'PUT' ? JSON_OR_YAML : PATCHES);
  const changed = toJson({ body })['body'] ?? null;
  switch (type) {
    case 'application/apply-patch+yaml':
      return await applyMapping({ project, name, body, options }, deps);
    case 'application/json-patch+json':
      return await changeMapping({ project, name, options, change: (object) => jsonPatch(object, changed) }, deps);
    case 'application/merge-patch+json':
      return await changeMapping({ project, name, options, change: (object) => mergePatch(object, changed) }, deps);
    default:
      return await changeMapping({ project, name, options, change: () => body }, deps);
  }
}

async function patch(
  project: string,
  name: string,
  { request, query }: KubernetesCall,
  options: WriteOptions,
  deps: ObjectDeps,
): Promise<Written> {
  const type = mediaType(request);
  const body = await readBody(request, PATCHES);
  if (type === 'application/apply-patch+yaml') {
    if (!query.get('fieldManager'))
      throw new StatusError(400, 'BadRequest', 'fieldManager is required for apply patch');
    return await applyObject({ project, name, body, options }, deps);
  }
  const changed = toJson({ body });
  return await patchObject(
    {
      project,
      name,
      options,
      patch: (object) =>
        type === 'application/json-patch+json'
          ? jsonPatch(object, changed['body'])
          : mergePatch(object, changed['body'] ?? null),
    },
    deps,
  );
}

async function remove(
  { kind, plural }: Kind,
  project: string,
  name: string,
  call: KubernetesCall,
  deps: ObjectDeps,
): Promise<void> {
  const { request, response, query, signal } = call;
  const options = readDeleteOptions(await readBody(request, JSON_OR_YAML), query, { resource: plural, name });
  const { traceparent } = request.headers;
  const object =
    kind === 'DomainMapping'
      ? await deleteMapping({ project, name, options }, deps)
      : await deleteObject(
          { project, name, options, signal, traceparent: typeof traceparent === 'string' ? traceparent : undefined },
          deps,
        );
  const uid = textAt(object, 'metadata', 'uid') ?? '';
  sendJson(response, 200, successOf({ resource: plural, name, uid }));
}
