/** The 512-byte header of a tar entry (POSIX ustar, with the GNU extensions that container tools write). */
export const BLOCK = 512;

export interface TarHeader {
  readonly name: string;
  /** One character, `0` for a regular file. */
  readonly type: string;
  readonly size: number;
  readonly linkName: string;
}

export type HeaderResult =
  | { readonly kind: 'header'; readonly header: TarHeader }
  | { readonly kind: 'zero' }
  | { readonly kind: 'invalid'; readonly reason: string };

export function decodeHeader(block: Buffer): HeaderResult {
  if (isZero(block)) return { kind: 'zero' };
  const checksum = octal(block, 148, 8);
  if (checksum === null || checksum !== checksumOf(block)) return { kind: 'invalid', reason: 'checksum' };
  const size = number(block, 124, 12);
  if (size === null) return { kind: 'invalid', reason: 'size' };
  const typeByte = block[156] ?? 0;
  const name = text(block, 0, 100);
  // Only POSIX ustar has a prefix; GNU (`ustar  `) keeps other fields in its place.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? text(block, 345, 155) : '';
  return {
    kind: 'header',
    header: {
      name: prefix === '' ? name : `${prefix}/${name}`,
      type: typeByte === 0 ? '0' : String.fromCharCode(typeByte),
      size,
      linkName: text(block, 157, 100),
    },
  };
}

/** A regular file's header. `name` must be ASCII of at most 100 bytes. */
export function encodeFileHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'latin1');
  block.write('0000644\0', 100, 'latin1');
  block.write('0000000\0', 108, 'latin1');
  block.write('0000000\0', 116, 'latin1');
  writeSize(block, size);
  block.write('00000000000\0', 136, 'latin1');
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Bytes that fill an entry of `size` up to a whole block. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export function isZero(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

function writeSize(block: Buffer, size: number) {
  if (size < 0o100000000000) {
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('utf8', start, end === -1 || end > start + length ? start + length : end);
}

function octal(block: Buffer, start: number, length: number): number | null {
  const digits = block
    .toString('latin1', start, start + length)
    .replace(/\0.*$/s, '')
    .trim();
  if (!/^[0-7]*$/.test(digits)) return null;
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Octal, or GNU base-256 for what does not fit; null for what is neither, negative or beyond 2^53. */
function number(block: Buffer, start: number, length: number): number | null {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return octal(block, start, length);
  if (first !== 0x80) return null;
  let value = 0;
  for (let index = start + 1; index < start + length; index += 1) {
    value = value * 256 + (block[index] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) return null;
  }
  return value;
}

function checksumOf(block: Buffer): number {
  let sum = 8 * 32;
  for (let index = 0; index < BLOCK; index += 1) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}
