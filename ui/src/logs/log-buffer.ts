import type { LogLine } from '@skyrun/contracts';

export interface NumberedLine extends LogLine {
  /** Grows by one per line of this page's life; its key. */
  readonly number: number;
}

/** Lines beyond this many are dropped from the beginning. */
export const MAX_LINES = 2000;

const identity = (line: LogLine): string => `${line.at} ${line.instanceId} ${line.stream} ${line.text}`;

/**
 * Lines of a followed log. A stream that reconnects begins with lines that were seen before; `resume` marks the
 * moment, and known lines are skipped until then. A line that a program printed twice is kept twice.
 */
export class LogBuffer {
  #lines: NumberedLine[] = [];
  #next = 0;
  #known = new Map<string, number>();

  get lines(): readonly NumberedLine[] {
    return this.#lines;
  }

  /** Called before a stream starts over. */
  resume(): void {
    this.#known = new Map();
    for (const line of this.#lines) {
      const id = identity(line);
      this.#known.set(id, (this.#known.get(id) ?? 0) + 1);
    }
  }

  push(lines: readonly LogLine[]): void {
    const fresh: NumberedLine[] = [];
    for (const line of lines) {
      const id = identity(line);
      const left = this.#known.get(id) ?? 0;
      if (left > 0) {
        this.#known.set(id, left - 1);
        continue;
      }
      fresh.push({ ...line, number: this.#next });
      this.#next += 1;
    }
    if (fresh.length > 0) this.#lines = [...this.#lines, ...fresh].slice(-MAX_LINES);
  }

  clear(): void {
    this.#lines = [];
  }
}

/** Control sequences that colour a terminal are noise on a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC is what is looked for
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;
export const plainText = (text: string): string => text.replace(ANSI, '');
