import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const processReport = z.object({
  name: z.string(),
  state: z.enum(['waiting', 'starting', 'ready', 'backoff', 'stopping', 'stopped']),
  pid: z.int().nullable(),
  port: z.int(),
  /** When the present process started; RFC 3339. */
  since: z.string().nullable(),
  readyAfterMs: z.int().nullable(),
  restarts: z.int(),
  lastExit: z.string().nullable(),
});
export type ProcessReport = z.infer<typeof processReport>;

const supervisorState = z.object({
  supervisor: z.object({ pid: z.int(), start: z.string() }),
  installation: z.string(),
  shape: z.enum(['one-machine', 'distributed']),
  phase: z.enum(['starting', 'ready', 'stopping', 'stopped', 'failed']),
  /** Why it failed. */
  reason: z.string().nullable(),
  startedAt: z.string(),
  gatewayPort: z.int(),
  baseDomain: z.string(),
  processes: z.array(processReport),
});

/** What the supervisor last wrote about itself; believe it only while its process runs. */
export type SupervisorState = z.infer<typeof supervisorState>;

export function readState(file: string): SupervisorState | null {
  if (!existsSync(file)) return null;
  return supervisorState.parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function writeState(file: string, state: SupervisorState): void {
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(partial, file);
}
