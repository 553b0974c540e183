import type { IncomingMessage, ServerResponse } from 'node:http';
import { KUBERNETES_API, Problem } from '@skyrun/contracts';
import type { Authenticator, ForeignApi, Logger } from '@skyrun/kit';
import { credentialOf, type KubernetesCall, readBody, sendJson, writeOptions } from './call.ts';
import { serveDocument } from './documents.ts';
import { isObject, type JsonObject, textAt } from './json.ts';
import { formOf } from './negotiate.ts';
import { type ObjectDeps, serveObjects } from './objects.ts';
import { namespaceOf } from './projects.ts';
import { answerReview } from './reviews.ts';
import { type About, badRequest, methodNotAllowed, notFound, StatusError, statusOf, toStatusError } from './status.ts';
import { NAMESPACE_COLUMNS, tableOf } from './table.ts';
import { type Target, targetOf } from './target.ts';

export interface KubernetesDeps extends ObjectDeps {
  readonly logger: Logger;
}

/** Skyrun in Kubernetes' shape: another way to the same use cases, with Kubernetes' words and errors. */
export function createKubernetesApi(deps: KubernetesDeps): ForeignApi {
  return {
    name: 'kubernetes',
    path: KUBERNETES_API.path,
    async handle(request, response, authenticator) {
      const url = new URL(request.url ?? '/', 'http://kubernetes');
      const target = targetOf(url.pathname);
      try {
        await serve(target, url, request, response, authenticator, deps);
      } catch (error) {
        refuse(error, aboutOf(target, url.pathname), response, deps.logger);
      }
    },
  };
}

function refuse(error: unknown, about: About, response: ServerResponse, logger: Logger): void {
  const failure = toStatusError(error, about);
  if (failure.code >= 500) logger.error({ error }, 'a request in Kubernetes’ shape failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (failure.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(Math.ceil(failure.retryAfterSeconds)));
  sendJson(response, failure.code, statusOf(failure, about));
}

function aboutOf(target: Target, path: string): About {
  if (target.kind === 'objects') return { resource: target.of.plural, name: target.name };
  if (target.kind === 'namespaces') return { resource: 'namespaces', name: target.name, core: true };
  return { resource: path, core: true };
}

async function serve(
  target: Target,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
  authenticator: Authenticator,
  deps: KubernetesDeps,
): Promise<void> {
  const method = request.method ?? 'GET';
  // Whether anybody answers, and in which version, is no secret.
  const open = target.kind === 'document' && (target.document === 'healthy' || target.document === 'version');
  const caller = await authenticator.authenticate(request.headers);
  if (target.kind === 'document') {
    if (!open && caller === null) throw unauthorized();
    serveDocument(target, request, response);
    return;
  }
  if (caller === null) throw unauthorized();
  if (target.kind === 'unknown')
    throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
  const aborted = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) aborted.abort(new Error('the client went away'));
  });
  const call: KubernetesCall = {
    request,
    response,
    query: url.searchParams,
    method,
    authenticator,
    caller,
    signal: aborted.signal,
  };
  if (target.kind === 'objects') await serveObjects(target, call, deps);
  else if (target.kind === 'namespaces') await serveNamespaces(target.name, call, deps);
  else await serveReview(target, call, deps);
}

function unauthorized(): Problem {
  return new Problem('auth.required', {
    detail: 'Unauthorized: send a bearer token; skyrun kubeconfig writes one down',
  });
}

async function serveReview(
  target: Target & { kind: 'review' },
  call: KubernetesCall,
  deps: KubernetesDeps,
): Promise<void> {
  if (call.method !== 'POST') throw methodNotAllowed('a review is created, nothing else');
  const body = await readBody(call.request, ['application/json'], target.review);
  if (!isObject(body)) throw badRequest('the body is not an object');
  const { caller, authenticator } = call;
  const answer = await answerReview(target.review, body, { caller, authenticator, now: deps.clock.now() });
  sendJson(call.response, 201, answer);
}

async function serveNamespaces(name: string | null, call: KubernetesCall, deps: KubernetesDeps): Promise<void> {
  const { request, response, method, query } = call;
  const token = credentialOf(request);
  const form = formOf(request.headers.accept);
  if (form === null) throw new StatusError(406, 'NotAcceptable', 'only application/json is served');
  const show = (objects: readonly JsonObject[], plain: JsonObject) =>
    form.as === 'Table'
      ? tableOf(objects, {
          columns: NAMESPACE_COLUMNS,
          include: 'Metadata',
          now: deps.clock.now(),
          metadata: { resourceVersion: '1' },
        })
      : plain;
  if (name === null && method === 'GET') {
    const objects = (await deps.projects.list(token)).map(namespaceOf);
    const list = { apiVersion: 'v1', kind: 'NamespaceList', metadata: { resourceVersion: '1' }, items: objects };
    sendJson(response, 200, show(objects, list));
  } else if (name !== null && method === 'GET') {
    const about = { resource: 'namespaces', name, core: true };
    const object = namespaceOf(
      await deps.projects.get(token, name).catch((error: unknown) => {
        if (error instanceof Problem && (error.code === 'resource.not_found' || error.code === 'auth.forbidden'))
          throw notFound(about);
        throw error;
      }),
    );
    sendJson(response, 200, show([object], object));
  } else if (name === null && method === 'POST') {
    const body = await readBody(request, ['application/json', 'application/yaml'], 'namespaces');
    const wanted = textAt(body, 'metadata', 'name') ?? '';
    if (writeOptions(query, request, '').dryRun) throw badRequest('a namespace cannot be created for trial');
    const created = await deps.projects.create(token, wanted).catch((error: unknown) => {
      throw toStatusError(error, { resource: 'namespaces', name: wanted, core: true });
    });
    sendJson(response, 201, namespaceOf(created));
  } else throw methodNotAllowed('a namespace is a project: it can be created, listed and read');
}
