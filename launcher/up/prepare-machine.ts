import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@skyrun/kit';
import { launcherConfig } from '../config.ts';
import { dockerVersion, startEngine } from '../infra/index.ts';
import type { Layout } from '../layout.ts';
import { aptInstall } from './apt.ts';
import { installCommand, missingPackages, type Need, requirements } from './packages.ts';
import type { Progress } from './progress.ts';

/** The machine lacks something that we may not, or cannot, put right; the message says how a person can. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
}

/**
 * Install missing packages and start a Docker Engine where none answers, as far as we may.
 * @throws MachineError naming the exact command where we may not
 */
export async function prepareMachine(
  layout: Layout,
  progress: Progress,
  need: Pick<Need, 'distributed' | 'tests'>,
): Promise<void> {
  const socketPath = loadConfig(launcherConfig).SKYRUN_DOCKER_SOCKET;
  const root = process.getuid?.() === 0;
  const engine = await dockerVersion(socketPath);
  const engineAnswers = !('error' in engine);
  const packages = missingPackages(requirements({ ...need, engineAnswers }), existsSync);
  if (packages.length > 0) {
    if (!root || !existsSync('/usr/bin/apt-get')) {
      throw new MachineError(`this machine lacks ${packages.join(', ')}. Run:\n  ${installCommand(packages, root)}`);
    }
    await progress.step(`install ${packages.join(', ')}`, (note) =>
      aptInstall(packages, join(layout.logs, 'apt.log'), note),
    );
  }
  if (engineAnswers) return;
  if (!root) {
    throw new MachineError(
      `no Docker Engine answers on ${socketPath} (${engine.error}). Start it, and give yourself access:\n` +
        '  sudo service docker start && sudo adduser "$USER" docker     (then sign in again)',
    );
  }
  await progress.step('start the Docker Engine', () =>
    startEngine({ socketPath, record: layout.engine, log: join(layout.logs, 'dockerd.log') }),
  );
}
