import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from './json.ts';
import { badRequest, StatusError } from './status.ts';

/** JSON Merge Patch (RFC 7396). Neither argument is changed. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/**
 * Characters of JSON that the `copy` operations of one patch may copy together. Each can double the document, so some tens of
 * them would otherwise make more than the memory holds.
 */
const MOST_COPIED = 1024 * 1024;

/**
 * JSON Patch (RFC 6902). Neither argument is changed.
 * @throws StatusError 400 for what is not a patch, 413 for one that copies too much, 422 for one that does not apply
 */
export function jsonPatch(target: Json, operations: unknown): Json {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
  const copies = { left: MOST_COPIED };
  let document: Json = structuredClone(target);
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('an operation of a JSON patch is an object');
    document = applyOperation(document, operation, copies);
  }
  return document;
}

function applyOperation(document: Json, operation: JsonObject, copies: { left: number }): Json {
  const path = pointer(operation['path']);
  switch (operation['op']) {
    case 'add':
      return write(document, path, givenValue(operation), 'add');
    case 'replace':
      read(document, path);
      return write(document, path, givenValue(operation), 'replace');
    case 'remove':
      return remove(document, path);
    case 'move': {
      const from = pointer(operation['from']);
      const value = read(document, from);
      return write(remove(document, from), path, value, 'add');
    }
    case 'copy':
      return write(document, path, copied(read(document, pointer(operation['from'])), copies), 'add');
    case 'test':
      if (!isDeepStrictEqual(read(document, path), givenValue(operation)))
        throw refused(`testing value /${path.join('/')} failed`);
      return document;
    default:
      throw badRequest(`unexpected operation of a JSON patch: ${String(operation['op'])}`);
  }
}

function givenValue(operation: JsonObject): Json {
  const value = operation['value'];
  if (value === undefined) throw badRequest(`the operation on ${String(operation['path'])} has no value`);
  // A later operation may change what this one adds, and the patch may be applied again.
  return structuredClone(value);
}

function copied(value: Json, copies: { left: number }): Json {
  const text = JSON.stringify(value);
  copies.left -= text.length;
  if (copies.left < 0) {
    throw new StatusError(413, 'RequestEntityTooLarge', `the patch copies more than ${MOST_COPIED} characters`);
  }
  return JSON.parse(text);
}

function pointer(path: unknown): string[] {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) {
    throw badRequest(`expected a JSON pointer, got ${JSON.stringify(path)}`);
  }
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const refused = (message: string) => new StatusError(422, 'Invalid', `the patch does not apply: ${message}`);

function read(document: Json, path: readonly string[]): Json {
  let at: Json | undefined = document;
  for (const key of path) {
    if (Array.isArray(at)) at = at[position(key, at.length - 1)];
    else at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (at === undefined) throw refused(`there is no /${path.join('/')}`);
  }
  return at;
}

function write(document: Json, path: readonly string[], value: Json, how: 'add' | 'replace'): Json {
  const key = path.at(-1);
  if (key === undefined) return value;
  if (path.includes('__proto__')) throw refused('__proto__ is not a field');
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent)) {
    if (how === 'replace') parent[position(key, parent.length - 1)] = value;
    else parent.splice(key === '-' ? parent.length : position(key, parent.length), 0, value);
  } else if (isObject(parent)) parent[key] = value;
  else throw refused(`/${path.slice(0, -1).join('/')} holds no fields`);
  return document;
}

function remove(document: Json, path: readonly string[]): Json {
  read(document, path);
  const key = path.at(-1) ?? '';
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(position(key, parent.length - 1), 1);
  else if (isObject(parent)) delete parent[key];
  return document;
}

function position(key: string, last: number): number {
  const index = /^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : -1;
  if (index < 0 || index > last) throw refused(`there is no position ${key}`);
  return index;
}
