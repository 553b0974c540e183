import type { Account } from './guarded.ts';
import type { ReadyCheck } from './readiness.ts';

/** A third-party server as data: what to run, when it is ready, how it ends well. */
export interface ServerProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly account: Account | null;
  readonly deathSignal: NodeJS.Signals;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
  readonly ready: ReadyCheck;
  readonly readyWithinMs: number;
}
