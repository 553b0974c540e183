import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

export interface LogFiles {
  path(name: string): string;
  /** A descriptor a child may write to; close it after the child has been started. */
  open(name: string): number;
  close(descriptor: number): void;
  /** The last `bytes` of a log. */
  tail(name: string, bytes: number): string;
  /**
   * Cut every log that has outgrown the limit.
   * @throws AggregateError after all are cut, where what was cut off could not be kept: on a full disk, say
   */
  rotate(): void;
}

/**
 * One file per process. Children write to the file itself, not through a pipe of ours, so their last words are there
 * even when the supervisor has died first. Rotation therefore copies and truncates: lines written between the two steps
 * are lost, which is the price.
 */
export function createLogFiles(directory: string, options: { maxBytes: number; keep: number }): LogFiles {
  mkdirSync(directory, { recursive: true });
  const names = new Set<string>();
  const path = (name: string): string => join(directory, `${name}.log`);
  return {
    path,
    open: (name) => {
      names.add(name);
      return openSync(path(name), 'a', 0o640);
    },
    close: closeSync,
    tail: (name, bytes) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8').slice(-bytes) : ''),
    rotate: () => {
      const failures: unknown[] = [];
      for (const name of names) {
        const current = path(name);
        if (!existsSync(current) || statSync(current).size <= options.maxBytes) continue;
        try {
          keepOld(current, options.keep);
        } catch (error) {
          failures.push(error);
        }
        truncateSync(current, 0);
      }
      if (failures.length > 0) throw new AggregateError(failures, `older log lines are lost: ${failures.join('; ')}`);
    },
  };
}

/** Moves the old ones on by one, and a copy of the present one into the first place. */
function keepOld(current: string, keep: number): void {
  rmSync(`${current}.${keep}`, { force: true });
  for (let index = keep - 1; index >= 1; index -= 1) {
    if (existsSync(`${current}.${index}`)) renameSync(`${current}.${index}`, `${current}.${index + 1}`);
  }
  copyFileSync(current, `${current}.1`);
}
