import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '@skyrun/contracts';
import type { Authenticator, Caller } from '@skyrun/kit';
import { YAMLParseError } from 'yaml';
import type { JsonObject } from './json.ts';
import type { FieldValidation } from './manifest.ts';
import { PROTOBUF, readProtobuf } from './protobuf.ts';
import { readYaml } from './read-yaml.ts';
import { badRequest, StatusError } from './status.ts';
import type { IncludeObject } from './table.ts';
import type { WriteOptions } from './write-objects.ts';

/** One request, who makes it, and what it names. */
export interface KubernetesCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly method: string;
  readonly authenticator: Authenticator;
  readonly caller: Caller;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Bytes of a request's body. */
const BODY_LIMIT = 1024 * 1024;

/** The media type of a body, without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A JSON or YAML body, or protobuf where the resource is named; undefined where there is none. @throws StatusError 400, 413, 415 */
export async function readBody(
  request: IncomingMessage,
  allowed: readonly string[],
  resource?: string,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT)
      throw new StatusError(413, 'RequestEntityTooLarge', `the body is larger than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  const type = mediaType(request);
  if (type === PROTOBUF && resource !== undefined) return readProtobuf(Buffer.concat(chunks), resource);
  if (!allowed.includes(type)) {
    throw new StatusError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${allowed.join(', ')}`,
    );
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return type.endsWith('yaml') ? readYaml(text) : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof YAMLParseError || error instanceof ReferenceError) {
      throw badRequest(`the body cannot be read: ${error.message.slice(0, 200)}`);
    }
    throw error;
  }
}

/** Query and headers that say how to write. @throws StatusError 400 */
export function writeOptions(query: URLSearchParams, request: IncomingMessage, caller: string): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  if (dryRun.some((value) => value !== 'All')) throw badRequest('dryRun: expected All');
  const validation = query.get('fieldValidation') || 'Warn';
  if (!isValidation(validation)) throw badRequest('fieldValidation: expected Ignore, Warn or Strict');
  const manager = query.get('fieldManager') || (request.headers['user-agent']?.split('/')[0] ?? '') || 'unknown';
  if (manager.length > 128) throw badRequest('fieldManager: expected at most 128 characters');
  const { traceparent } = request.headers;
  return {
    dryRun: dryRun.length > 0,
    manager,
    validation,
    force: query.get('force') === 'true',
    caller,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  };
}

function isValidation(text: string): text is FieldValidation {
  return text === 'Ignore' || text === 'Warn' || text === 'Strict';
}

export function includeOf(query: URLSearchParams): IncludeObject {
  const include = query.get('includeObject') || 'Metadata';
  if (include === 'None' || include === 'Metadata' || include === 'Object') return include;
  throw badRequest('includeObject: expected None, Metadata or Object');
}

export function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}

/** @throws StatusError 400 */
export function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`${name}: expected a number that is not negative`);
  return Number(text);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: JsonObject,
  options: { readonly warnings?: readonly string[]; readonly contentType?: string } = {},
): void {
  const { warnings = [], contentType = 'application/json' } = options;
  response.statusCode = status;
  response.setHeader('content-type', contentType);
  response.setHeader('cache-control', 'no-cache, private');
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - "${quoted(text)}"`),
    );
  response.end(JSON.stringify(body));
}

function quoted(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
}

/** What the caller has proved to be by, to ask in their name: an access token, or an API key in either of its headers. */
export function credentialOf({ headers }: IncomingMessage): string {
  const key = headers['x-api-key'];
  const token =
    /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? (typeof key === 'string' ? key : undefined);
  if (token === undefined) {
    throw new Problem('auth.required', {
      detail: 'send Authorization: Bearer <access token>, or X-API-Key: <API key>',
    });
  }
  return token;
}
