import type { Layout } from './layout.ts';
import type { Progress } from './up/progress.ts';

export interface CommandContext {
  /** What stands after the command's name. */
  readonly args: readonly string[];
  readonly progress: Progress;
  layout(dataDir: string | undefined): Layout;
}

export interface LauncherCommand {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Resolves with the exit code. */
  run(context: CommandContext): Promise<number>;
}

/** The command line does not make sense; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
