import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@skyrun/kit';
import { segmentName } from './segments.ts';
import { formatLine, type SpoolLine } from './spool-line.ts';

const SEGMENT_BYTES = 8_388_608;
/** Lines kept in memory while the disk refuses them. */
const MAX_PENDING = 200_000;

/** What is asked of a segment's file. */
export type SegmentFile = Pick<FileHandle, 'appendFile' | 'datasync' | 'close'>;

/**
 * Appends to the spool. A line is safe from `kill -9` as soon as it was written, and from a power cut once synced,
 * which follows each write. Each process, and each 8 MiB, has its own segment: nothing is appended to a file that a
 * killed process may have left with half a line.
 */
export class SpoolWriter {
  #directory: string;
  #startedAt: number;
  #logger: Logger;
  #create: (path: string) => Promise<SegmentFile>;
  #onWritten: () => void;
  #number = 0;
  #file: SegmentFile | null = null;
  #bytes = 0;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #failing = false;
  /** The segment that is being written; older ones are complete. */
  current = '';
  /** Lines that the disk refused for so long that they had to go. */
  dropped = 0;

  constructor(options: {
    directory: string;
    startedAt: number;
    logger: Logger;
    /** Something more stands in the current segment. */
    onWritten?: () => void;
    /** Rejects where there is such a file already. */
    create?: (path: string) => Promise<SegmentFile>;
  }) {
    this.#create = options.create ?? ((path) => open(path, 'ax', 0o600));
    this.#onWritten = options.onWritten ?? (() => undefined);
    this.#directory = options.directory;
    this.#startedAt = options.startedAt;
    this.#logger = options.logger;
  }

  append(lines: readonly SpoolLine[]): void {
    if (lines.length === 0) return;
    for (const line of lines) this.#pending.push(formatLine(line));
    const excess = this.#pending.length - MAX_PENDING;
    if (excess > 0) {
      this.#pending.splice(0, excess);
      this.dropped += excess;
    }
    this.#pump();
  }

  /** Resolves when everything appended is on disk, or was refused once more. */
  async flush(): Promise<void> {
    this.#pump();
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = null;
  }

  #pump(): void {
    if (this.#pending.length === 0 || this.#writing !== undefined) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#writeBatch(batch.join(''));
        this.#failing = false;
        this.#onWritten();
      } catch (error) {
        this.#pending = batch.concat(this.#pending);
        if (!this.#failing) this.#logger.error({ error }, 'usage cannot be written; keeping it in memory');
        this.#failing = true;
        // Half a batch may stand in the file; a new segment begins with a whole line.
        await this.#rotate();
        return;
      }
    }
  }

  async #writeBatch(text: string): Promise<void> {
    const file = this.#file ?? (await this.#openNext());
    const { bytesWritten } = await file.appendFile(text).then(() => ({ bytesWritten: Buffer.byteLength(text) }));
    await file.datasync();
    this.#bytes += bytesWritten;
    if (this.#bytes >= SEGMENT_BYTES) await this.#rotate();
  }

  async #openNext(): Promise<SegmentFile> {
    await mkdir(this.#directory, { recursive: true });
    this.#number += 1;
    const name = segmentName(this.#startedAt, this.#number);
    const file = await this.#create(join(this.#directory, name));
    this.#file = file;
    this.#bytes = 0;
    this.current = name;
    return file;
  }

  async #rotate(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    try {
      await file?.close();
    } catch (error) {
      this.#logger.warn({ error }, 'a spool segment did not close cleanly');
    }
  }
}
