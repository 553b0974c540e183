import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@skyrun/kit';
import { type GuardedProcess, type ServerProcess, startGuarded, untilReady } from '@skyrun/launcher/infra';

/** How long what a killed server leaves behind, such as PostgreSQL's children with its shared memory, may refuse the next. */
const LEFTOVERS_MS = 20_000;

/** A real server that a test may hurt. */
export interface TestServer {
  pid(): number;
  /** SIGKILL, as the kernel's out-of-memory killer would. */
  kill(): Promise<void>;
  /** Stop if running, then start on the same port and data; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Start `server` with its output in `directory`; the error of a failed start carries the end of that output. */
export async function startServer(name: string, server: ServerProcess, directory: string): Promise<TestServer> {
  const log = join(directory, `${name}.log`);
  const start = async (): Promise<GuardedProcess> => {
    const output = openSync(log, 'a');
    const started = await startGuarded({ ...server, output }).finally(() => closeSync(output));
    try {
      await untilReady(name, server.ready, { timeoutMs: server.readyWithinMs, gone: started.exited });
    } catch (error) {
      await started.stop('SIGKILL', 1_000);
      throw new Error(`${name} did not start:\n${readFileSync(log, 'utf8').slice(-3_000)}`, { cause: error });
    }
    return started;
  };
  const startAgain = async (): Promise<GuardedProcess> => {
    const until = systemClock.monotonic() + LEFTOVERS_MS;
    for (;;) {
      try {
        return await start();
      } catch (error) {
        if (systemClock.monotonic() > until) throw error;
        await systemClock.sleep(200);
      }
    }
  };
  let current = await start();

  return {
    pid: () => current.pid,
    kill: async () => {
      await current.stop('SIGKILL', 5_000);
    },
    restart: async () => {
      await current.stop(server.stopSignal, server.stopGraceMs);
      current = await startAgain();
    },
    pause: () => current.signal('SIGSTOP'),
    resume: () => current.signal('SIGCONT'),
    stop: async () => {
      current.signal('SIGCONT');
      await current.stop(server.stopSignal, server.stopGraceMs);
    },
  };
}
