import { open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const SEGMENT = /^\d{13,}-\d{6}\.ndjson$/;
const POSITION_FILE = 'acknowledged.json';
const READ_BYTES = 1_048_576;

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

export async function loadPosition(directory: string): Promise<SpoolPosition | null> {
  try {
    return spoolPosition.parse(JSON.parse(await readFile(join(directory, POSITION_FILE), 'utf8')));
  } catch {
    // Without a position everything is published again; the events' ids and keys make that harmless.
    return null;
  }
}

export async function savePosition(directory: string, position: SpoolPosition): Promise<void> {
  const path = join(directory, POSITION_FILE);
  await writeFile(`${path}.new`, JSON.stringify(position));
  await rename(`${path}.new`, path);
}

/** Whole lines from `offset` on, about a megabyte of them; `next` is the offset after the last, and whether there is `more`. */
export async function readLines(
  directory: string,
  segment: string,
  offset: number,
): Promise<{ lines: string[]; next: number; more: boolean }> {
  const file = await open(join(directory, segment), 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(READ_BYTES, size - offset);
    if (length <= 0) return { lines: [], next: offset, more: false };
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(buffer, 0, length, offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (end === -1) return { lines: [], next: offset, more: false };
    const lines = buffer.toString('utf8', 0, end).split('\n');
    return { lines, next: offset + end + 1, more: length < size - offset };
  } finally {
    await file.close();
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
