import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
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

/** Oldest first. */
export async function listSegments(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  return (await readdir(directory)).filter((name) => SEGMENT.test(name)).sort();
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

/** Whole lines from `offset` on, about a megabyte of them; `next` is the offset after the last. */
export async function readLines(
  directory: string,
  segment: string,
  offset: number,
): Promise<{ lines: string[]; next: number }> {
  const file = await open(join(directory, segment), 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(READ_BYTES, size - offset);
    if (length <= 0) return { lines: [], next: offset };
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(buffer, 0, length, offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (end === -1) return { lines: [], next: offset };
    return { lines: buffer.toString('utf8', 0, end).split('\n'), next: offset + end + 1 };
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
