import { z } from 'zod';

/** Prefixes of every id in Skyrun; an id is `<prefix>_<uuidv7>`. */
export const ID_PREFIXES = {
  user: 'usr',
  project: 'prj',
  apiKey: 'key',
  image: 'img',
  service: 'svc',
  revision: 'rev',
  instance: 'ins',
  rollout: 'rol',
  secret: 'sec',
  event: 'evt',
  usage: 'usg',
  invoice: 'inv',
  creditNote: 'crn',
  budget: 'bdg',
  session: 'ses',
  request: 'req',
  subscription: 'sub',
  delivery: 'dlv',
  registration: 'reg',
  mail: 'mail',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

export interface IdSource {
  /** Unix time in milliseconds. */
  readonly now: number;
  /** At least ten random bytes. */
  readonly random: Uint8Array;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits. */
export function uuidV7({ now, random }: IdSource): string {
  const time = Math.floor(now).toString(16).padStart(12, '0');
  const byte = (index: number) => random[index] ?? 0;
  const hex = (value: number) => HEX[value & 0xff] ?? '00';
  const a = hex(0x70 | (byte(0) & 0x0f)) + hex(byte(1));
  const b = hex(0x80 | (byte(2) & 0x3f)) + hex(byte(3));
  let c = '';
  for (let index = 4; index < 10; index += 1) c += hex(byte(index));
  return `${time.slice(0, 8)}-${time.slice(8)}-${a}-${b}-${c}`;
}

export function makeId(kind: IdKind, source: IdSource): string {
  return `${ID_PREFIXES[kind]}_${uuidV7(source)}`;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** The schema of one kind of id. */
export function idSchema(kind: IdKind) {
  return z
    .string()
    .regex(new RegExp(`^${ID_PREFIXES[kind]}_${UUID}$`), `expected a ${kind} id (${ID_PREFIXES[kind]}_<uuidv7>)`);
}
