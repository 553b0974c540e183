import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './call.ts';
import { aggregated, coreVersions, groupList, groupOf, resourceList, versionInfo } from './discovery.ts';
import type { JsonObject } from './json.ts';
import { formOf } from './negotiate.ts';
import { coreDocument, documentIndex, servingDocument, swaggerDocument } from './openapi.ts';
import { methodNotAllowed, StatusError } from './status.ts';
import type { Target } from './target.ts';

/** Answers what is the same for everybody: discovery, OpenAPI, the version. */
export function serveDocument(
  target: Target & { kind: 'document' },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed('this can only be read');
  if (target.document === 'healthy') {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end('ok');
    return;
  }
  const form = formOf(request.headers.accept);
  if (form === null) throw new StatusError(406, 'NotAcceptable', 'only application/json is served');
  const { document } = target;
  if (form.as === 'APIGroupDiscoveryList' && (document === 'versions' || document === 'groups')) {
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${form.version};as=APIGroupDiscoveryList`;
    sendJson(response, 200, aggregated(document === 'versions' ? 'api' : 'apis', form.version), { contentType });
    return;
  }
  sendJson(response, 200, bodyOf(target));
}

function bodyOf({ document, group = '', version = 'v1' }: Target & { kind: 'document' }): JsonObject {
  switch (document) {
    case 'versions':
      return coreVersions();
    case 'groups':
      return groupList();
    case 'group':
      return groupOf(group);
    case 'core':
      return resourceList('', 'v1');
    case 'resources':
      return resourceList(group, version);
    case 'version':
      return versionInfo();
    case 'openapi2':
      return swaggerDocument();
    case 'openapi3':
      return documentIndex();
    case 'openapi3-core':
      return coreDocument();
    case 'openapi3-serving':
      return servingDocument(version);
    case 'healthy':
      return {};
  }
}
