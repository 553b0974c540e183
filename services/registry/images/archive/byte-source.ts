import type { FileHandle } from 'node:fs/promises';

/** Bytes read from the front. Both verbs give fewer than asked only at the end. */
export interface ByteSource {
  position(): number;
  read(length: number): Promise<Buffer>;
  skip(length: number): Promise<number>;
}

/** A file, where skipping costs nothing. */
export function fileSource(handle: FileHandle, size: number): ByteSource {
  let position = 0;
  return {
    position: () => position,
    async read(length) {
      const bytes = Buffer.allocUnsafe(Math.min(length, size - position));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      position += filled;
      return bytes.subarray(0, filled);
    },
    async skip(length) {
      const skipped = Math.min(length, size - position);
      position += skipped;
      return skipped;
    },
  };
}

/** A stream; holds one chunk of it at a time. */
export function streamSource(chunks: AsyncIterable<Buffer>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let current: Buffer = Buffer.alloc(0);
  let position = 0;

  async function fill(): Promise<boolean> {
    while (current.length === 0) {
      const next = await iterator.next();
      if (next.done) return false;
      current = next.value;
    }
    return true;
  }

  function take(length: number): Buffer {
    const taken = current.subarray(0, length);
    current = current.subarray(taken.length);
    position += taken.length;
    return taken;
  }

  return {
    position: () => position,
    async read(length) {
      if (current.length >= length) return take(length);
      const parts: Buffer[] = [];
      let missing = length;
      while (missing > 0 && (await fill())) {
        const part = take(missing);
        parts.push(part);
        missing -= part.length;
      }
      return Buffer.concat(parts);
    },
    async skip(length) {
      let missing = length;
      while (missing > 0 && (await fill())) missing -= take(missing).length;
      return length - missing;
    },
  };
}
