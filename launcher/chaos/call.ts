import type { Client } from '@skyrun/kit';
import type { NumberedCommand } from './verdict.ts';

/** One call, and the commands that it carries: all of them are accepted, or none. */
export interface Call {
  readonly commands: readonly NumberedCommand[];
  send(client: Client, signal: AbortSignal): Promise<unknown>;
}
