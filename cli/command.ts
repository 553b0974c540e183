import type { Client, Clock } from '@skyrun/kit';
import type { CliEnvironment } from './environment.ts';
import type { Output } from './output.ts';
import type { SessionStore } from './session.ts';

/** What a command gets. */
export interface CommandContext {
  readonly args: readonly string[];
  readonly output: Output;
  readonly sessions: SessionStore;
  readonly clock: Clock;
  readonly environment: CliEnvironment;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  /** The client of the signed-in person. Throws Problem `auth.required` without a session. */
  client(): Promise<SignedInClient>;
}

export interface SignedInClient extends Client {
  readonly baseUrl: string;
  /** A valid access token, refreshed when it is about to end. */
  token(): Promise<string>;
}

export interface Command {
  readonly name: string;
  /** After the name, e.g. `<service> [--follow]`. */
  readonly usage: string;
  readonly summary: string;
  /** Resolves with the exit code. */
  run(context: CommandContext): Promise<number>;
}

/** Exit codes, so that scripts need not read prose. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  conflict: 5,
  notReady: 6,
  threshold: 7,
  interrupted: 130,
} as const;

/** Wrong arguments: printed with the command's usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A revision did not become ready (in time); exit code 6. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
}
