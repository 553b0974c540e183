import { readInstallation } from './installation.ts';
import type { Layout } from './layout.ts';
import { endProcess, isRunning } from './process-id.ts';
import { stopOutside } from './stop-outside.ts';
import { readState, writeState } from './supervisor/state.ts';
import type { Progress } from './up/progress.ts';

/** Longer than the sum of what the supervisor grants its processes, level after level. */
const SUPERVISOR_GRACE_MS = 120_000;

/** Stop everything of an installation, tenants' containers included. Resolves when nothing of it runs; may come twice. */
export async function down(layout: Layout, progress: Progress): Promise<void> {
  const installation = readInstallation(layout.secrets);
  const state = readState(layout.state);
  if (installation === null) {
    progress.line('nothing to stop: there is no installation here');
    return;
  }
  if (state !== null && isRunning(state.supervisor)) {
    await progress.step('stop the platform', () => endProcess(state.supervisor, 'SIGTERM', SUPERVISOR_GRACE_MS));
  }
  // Again without the supervisor: it may have been killed, or may have failed at this very step.
  await progress.step('stop containers', async () => {
    await stopOutside(layout, installation.id);
  });
  const last = readState(layout.state);
  if (last !== null && last.phase !== 'stopped') {
    const processes = last.processes.map((each) => ({ ...each, state: 'stopped' as const, pid: null }));
    writeState(layout.state, { ...last, phase: 'stopped', processes });
  }
}
