import type { JsonObject } from './json.ts';
import { badRequest } from './status.ts';

/**
 * Kubernetes' protobuf, as far as `kubectl` sends nothing else: reviews and namespaces. An object is an envelope (`k8s\0`, then
 * a message whose second field is the object); of a message only text fields and messages within are read.
 */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const MAGIC = Buffer.from('k8s\0');

interface Shape {
  readonly [field: number]: string | readonly [name: string, shape: Shape];
}

const METADATA: readonly [string, Shape] = ['metadata', { 1: 'name' }];
const ATTRIBUTES: Shape = {
  1: 'namespace',
  2: 'verb',
  3: 'group',
  4: 'version',
  5: 'resource',
  6: 'subresource',
  7: 'name',
};
const SHAPE: Shape = {
  1: METADATA,
  2: ['spec', { 1: ['resourceAttributes', ATTRIBUTES], 2: ['nonResourceAttributes', { 1: 'path', 2: 'verb' }] }],
};
/** Its spec has a text where others have a message. */
const RULES_SHAPE: Shape = { 1: METADATA, 2: ['spec', { 1: 'namespace' }] };
const NAMESPACE_SHAPE: Shape = { 1: METADATA };
const SHAPES: Readonly<Record<string, Shape>> = {
  selfsubjectaccessreviews: SHAPE,
  selfsubjectrulesreviews: RULES_SHAPE,
  selfsubjectreviews: NAMESPACE_SHAPE,
  namespaces: NAMESPACE_SHAPE,
};

/** @throws StatusError 400 for what is not such a message */
export function readProtobuf(bytes: Buffer, resource: string): JsonObject {
  if (!bytes.subarray(0, 4).equals(MAGIC)) throw badRequest('the body does not begin like Kubernetes’ protobuf');
  const raw = fieldsOf(bytes.subarray(4)).find(({ number }) => number === 2)?.value;
  return read(raw ?? Buffer.alloc(0), SHAPES[resource] ?? {});
}

function read(bytes: Buffer, shape: Shape): JsonObject {
  const object: JsonObject = {};
  for (const { number, value } of fieldsOf(bytes)) {
    const known = shape[number];
    if (known === undefined) continue;
    if (typeof known === 'string') object[known] = value.toString('utf8');
    else object[known[0]] = read(value, known[1]);
  }
  return object;
}

/** Fields with a length (wire type 2); others are passed over. */
function fieldsOf(bytes: Buffer): { number: number; value: Buffer }[] {
  const fields: { number: number; value: Buffer }[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined) throw badRequest('the protobuf ends too early');
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    // Longer numbers are no lengths; only their end matters.
    while ((bytes[at] ?? 0) >= 0x80) at += 1;
    at += 1;
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (at + length > bytes.length) throw badRequest('the protobuf ends too early');
      fields.push({ number: Math.floor(tag / 8), value: bytes.subarray(at, at + length) });
      at += length;
    } else throw badRequest('the protobuf has a field of an unknown kind');
  }
  return fields;
}
