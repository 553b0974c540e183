import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startGuarded } from '@skyrun/launcher/infra';
import { temporaryDirectory } from './directory.ts';

export interface TestSkyrun {
  /** Of the main host: UI and API. */
  readonly origin: string;
  readonly port: number;
  readonly baseDomain: string;
  readonly dataDir: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
  /** Process id of a member such as `control` or `gateway-1`, as state.json has it now. */
  pid(name: string): number;
  /** Stop everything, containers included, and remove the data. */
  stop(): Promise<void>;
}

const UP_LIMIT_MS = 240_000;
const ROOT = new URL('..', import.meta.url).pathname;

/**
 * The whole product, started as a person would: `./skyrun up --foreground`, with data and port of its own. It stops when
 * the test's process ends, however that ends.
 */
export async function startSkyrun(
  options: { distributed?: boolean; environment?: Readonly<Record<string, string>> } = {},
): Promise<TestSkyrun> {
  const directory = temporaryDirectory('skyrun');
  const dataDir = join(directory.path, '..', 'data');
  const port = await freePort();
  const log = join(directory.path, 'up.log');
  const output = openSync(log, 'a');
  const started = await startGuarded({
    command: join(ROOT, 'skyrun'),
    args: [
      'up',
      '--foreground',
      '--data-dir',
      dataDir,
      '--port',
      String(port),
      ...(options.distributed ? ['--distributed'] : []),
    ],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      SKYRUN_BASE_DOMAIN: 'localhost',
      ...options.environment,
    },
    cwd: ROOT,
    deathSignal: 'SIGTERM',
    output,
  }).finally(() => closeSync(output));
  const stop = async (): Promise<void> => {
    await started.stop('SIGTERM', 120_000);
    directory.remove();
  };
  const from = performance.now();
  while (!readFileSync(log, 'utf8').includes('Skyrun is up')) {
    if (!started.running() || performance.now() - from > UP_LIMIT_MS) {
      const text = `skyrun did not come up:\n${readFileSync(log, 'utf8')}`;
      await stop();
      throw new Error(text);
    }
    await sleep(50);
  }
  rmSync(log);
  const secrets = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8'));
  return {
    origin: `http://localhost:${port}`,
    port,
    baseDomain: 'localhost',
    dataDir,
    adminEmail: String(secrets.adminEmail),
    adminPassword: String(secrets.adminPassword),
    pid: (name) => {
      const state: { processes: { name: string; pid: number | null }[] } = JSON.parse(
        readFileSync(join(dataDir, 'state.json'), 'utf8'),
      );
      const pid = state.processes.find((each) => each.name === name)?.pid ?? null;
      if (pid === null) throw new Error(`${name} does not run`);
      return pid;
    },
    stop,
  };
}
