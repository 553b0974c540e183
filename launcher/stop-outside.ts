import { loadConfig } from '@skyrun/kit';
import { removeNetworkRules } from '@skyrun/orchestrator';
import { launcherConfig } from './config.ts';
import { dockerVersion, removeContainers, stopEngine } from './infra/index.ts';
import type { Layout } from './layout.ts';
import { hasProgram } from './up/packages.ts';

/** Stop what does not run below the supervisor: the tenants' containers, and dockerd if we have started it. */
export async function stopOutside(
  layout: Layout,
  installation: string,
): Promise<{ containers: number; engine: boolean }> {
  const socketPath = loadConfig(launcherConfig).SKYRUN_DOCKER_SOCKET;
  const engine = await dockerVersion(socketPath);
  const containers = 'error' in engine ? 0 : await removeContainers(socketPath, installation);
  // Whoever is not root has set none.
  if (process.getuid?.() === 0 && hasProgram('iptables')) await removeNetworkRules(installation);
  return { containers, engine: await stopEngine(layout.engine) };
}
