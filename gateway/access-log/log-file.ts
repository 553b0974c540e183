import { write } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Clock, Logger } from '@skyrun/kit';

/** Text that waits to be written; what comes beyond is dropped and counted. */
const MOST_CHARACTERS = 4_194_304;
/** Lines gather so long before they are written as one. */
const EVERY_MS = 200;
const STDOUT = 1;

const writeTo = promisify(write);

/**
 * Lines on their way to a file or to standard output. Adding one never waits and never throws: writing is left to
 * Node's threads, and while the disk is slow or full lines are kept up to a bound and then dropped, whole.
 *
 *   idle ──line──► gathering (200 ms) ──► writing ──all written──► idle
 *                                           │ refused ──► gathering (the same lines again)
 */
export class LogFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #pending: string[] = [];
  #characters = 0;
  /** What is left of a write that was refused half way. */
  #rest: Buffer | null = null;
  /** Lines handed over to be written, and not written yet. */
  #unwritten = 0;
  #file: FileHandle | null = null;
  #writing: Promise<void> | undefined;
  #cancel: (() => void) | null = null;
  #stale = false;
  #failing = false;
  written = 0;
  dropped = 0;

  /** `path`: `-` is standard output. */
  constructor(options: { path: string; clock: Clock; logger: Logger }) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  add(line: string): void {
    if (this.#characters + line.length > MOST_CHARACTERS) {
      this.dropped += 1;
      return;
    }
    this.#pending.push(line);
    this.#characters += line.length;
    this.#gather();
  }

  /** The file was moved away: the next lines go to a new one of its name. */
  reopen(): void {
    this.#stale = true;
  }

  /** Writes what is left, if it can be written. */
  async close(): Promise<void> {
    this.#cancel?.();
    await this.#writing;
    await this.#flush();
    await this.#file?.close();
    this.#file = null;
  }

  #gather(): void {
    if (this.#cancel !== null || this.#writing !== undefined) return;
    this.#cancel = this.#clock.setTimeout(EVERY_MS, () => {
      this.#cancel = null;
      this.#writing = this.#flush().finally(() => {
        this.#writing = undefined;
        if (this.#pending.length > 0 || this.#rest !== null) this.#gather();
      });
    });
  }

  async #flush(): Promise<void> {
    const gathered = Buffer.from(this.#pending.join(''));
    const data = this.#rest === null ? gathered : Buffer.concat([this.#rest, gathered]);
    if (data.length === 0) return;
    this.#unwritten += this.#pending.length;
    this.#pending = [];
    this.#characters = data.length;
    this.#rest = data;
    try {
      await this.#writeRest();
      this.written += this.#unwritten;
      this.#unwritten = 0;
      if (this.#failing) this.#logger.info('the access log is written again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#logger.warn({ error, path: this.#path }, 'cannot write the access log; requests go on');
      this.#failing = true;
    }
    this.#characters = (this.#rest?.length ?? 0) + this.#pending.reduce((sum, line) => sum + line.length, 0);
  }

  async #writeRest(): Promise<void> {
    const fd = this.#path === '-' ? STDOUT : (await this.#opened()).fd;
    while (this.#rest !== null) {
      const { bytesWritten } = await writeTo(fd, this.#rest);
      this.#rest = bytesWritten === this.#rest.length ? null : this.#rest.subarray(bytesWritten);
    }
  }

  async #opened(): Promise<FileHandle> {
    if (this.#stale) {
      this.#stale = false;
      const old = this.#file;
      this.#file = null;
      await old?.close();
    }
    if (this.#file === null) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = await open(this.#path, 'a', 0o640);
    }
    return this.#file;
  }
}
