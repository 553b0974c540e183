import type { Clock } from '@skyrun/kit';
import type { InstanceSpec } from '../runtime.ts';

/** What a simulated container does. */
export interface ProgramContext {
  readonly spec: InstanceSpec;
  readonly clock: Clock;
  env(name: string): string | undefined;
  log(stream: 'stdout' | 'stderr', text: string): void;
  /** From now on the instance accepts connections on its port. */
  listen(): void;
  exit(code: number, options?: { oomKilled: boolean }): void;
  /** Without a handler SIGTERM does nothing, as for a process 1 that installs none. */
  onTerm(handler: () => void): void;
}

export type Program = (context: ProgramContext) => void;

/**
 * The program that the test image runs (see `testing/program.ts`), in so far as a simulation can: greets on both streams,
 * listens after LISTEN_DELAY_MS unless it is `never`, exits with EXIT_CODE after EXIT_AFTER_MS, dies of EAT_MIB beyond
 * its limit, leaves on SIGTERM unless IGNORE_TERM is set.
 */
export const sampleProgram: Program = ({ spec, clock, env, log, listen, exit, onTerm }) => {
  log('stdout', `hello from ${spec.revisionName}`);
  log('stderr', 'a warning');
  if (!env('IGNORE_TERM')) onTerm(() => exit(0));
  const delay = env('LISTEN_DELAY_MS') ?? '0';
  if (delay !== 'never') clock.setTimeout(Number(delay), listen);
  const exitAfter = env('EXIT_AFTER_MS');
  if (exitAfter !== undefined) clock.setTimeout(Number(exitAfter), () => exit(Number(env('EXIT_CODE') ?? '0')));
  if (Number(env('EAT_MIB') ?? '0') > spec.memoryMib) clock.setTimeout(1, () => exit(137, { oomKilled: true }));
};
