import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const SEGMENT = /^\d{13,}-\d{6}\.ndjson$/;
const POSITION_FILE = 'acknowledged.json';
/** Longer than any position, so that each write covers the one before. */
const POSITION_BYTES = 128;
/** Read at once where the publisher keeps up; kept from read to read. */
const FEW_BYTES = 65_536;
/** Read at once where there is more; no line is longer. */
const MANY_BYTES = 1_048_576;

/** Up to where events were published and confirmed. */
const spoolPosition = z.object({ segment: z.string(), offset: z.int().min(0) });
export type SpoolPosition = z.infer<typeof spoolPosition>;

export function segmentName(startedAt: number, number: number): string {
  return `${String(startedAt).padStart(13, '0')}-${String(number).padStart(6, '0')}.ndjson`;
}

/** Oldest first; none where there is no such directory yet. */
export async function listSegments(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => SEGMENT.test(name)).sort();
}

/**
 * Where the position stands. Written in place, always by one write of the same length: a killed process leaves the one before or
 * this one. What a power cut tears is no position.
 */
export class PositionFile {
  #path: string;
  #file: FileHandle | null = null;

  constructor(directory: string) {
    this.#path = join(directory, POSITION_FILE);
  }

  async load(): Promise<SpoolPosition | null> {
    try {
      return spoolPosition.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch {
      // Without a position everything is published again; the events' ids and keys make that harmless.
      return null;
    }
  }

  async save(position: SpoolPosition): Promise<void> {
    this.#file ??= await open(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    await this.#file.write(Buffer.from(JSON.stringify(position).padEnd(POSITION_BYTES)), 0, undefined, 0);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

/** Reads what is to be published. The segment that was read last stays open: the newest is read after each write. */
export class SegmentReader {
  #directory: string;
  #open: { readonly segment: string; readonly file: FileHandle } | null = null;
  #buffer = Buffer.alloc(0);

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whole lines from `offset` on, as many as are read at once; `next` is the offset after the last, and whether there is `more`. */
  async read(segment: string, offset: number): Promise<{ lines: string[]; next: number; more: boolean }> {
    const file = await this.#fileOf(segment);
    if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(FEW_BYTES);
    let read = await file.read(this.#buffer, 0, this.#buffer.length, offset);
    let more = read.bytesRead === this.#buffer.length;
    if (more && this.#buffer.length < MANY_BYTES) {
      this.#buffer = Buffer.allocUnsafeSlow(MANY_BYTES);
      read = await file.read(this.#buffer, 0, MANY_BYTES, offset);
      more = read.bytesRead === MANY_BYTES;
    }
    const end = this.#buffer.subarray(0, read.bytesRead).lastIndexOf(0x0a);
    const lines = end === -1 ? [] : this.#buffer.toString('utf8', 0, end).split('\n');
    // Who has caught up needs no large buffer for a long time.
    if (!more && this.#buffer.length > FEW_BYTES) this.#buffer = Buffer.alloc(0);
    return { lines, next: offset + end + 1, more: more && end !== -1 };
  }

  async close(): Promise<void> {
    const last = this.#open;
    this.#open = null;
    await last?.file.close();
  }

  async #fileOf(segment: string): Promise<FileHandle> {
    if (this.#open?.segment === segment) return this.#open.file;
    await this.close();
    const file = await open(join(this.#directory, segment), 'r');
    this.#open = { segment, file };
    return file;
  }
}

/** All whole lines of a segment. */
export async function readSegment(directory: string, segment: string): Promise<string[]> {
  const text = await readFile(join(directory, segment), 'utf8');
  const lines = text.split('\n');
  lines.pop();
  return lines;
}

export async function removeSegment(directory: string, segment: string): Promise<void> {
  await unlink(join(directory, segment));
}
