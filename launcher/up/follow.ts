import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../layout.ts';
import { isRunning } from '../process-id.ts';
import { readState, type SupervisorState } from '../supervisor/state.ts';
import type { Progress } from './progress.ts';

/** The state of a supervisor that runs, else null: a file left by a killed one is not believed. */
export function runningState(layout: Layout): SupervisorState | null {
  const state = readState(layout.state);
  return state !== null && isRunning(state.supervisor) ? state : null;
}

/**
 * Show each process becoming ready until all are.
 * @param ended settles when the supervisor has ended
 * @throws Error with the supervisor's own reason when it gives up
 */
export async function followStart(layout: Layout, progress: Progress, ended: () => boolean): Promise<SupervisorState> {
  const shown = new Set<string>();
  return progress.step('start the platform', async (note) => {
    for (;;) {
      const state = readState(layout.state);
      if (state?.phase === 'failed') throw new Error(state.reason ?? 'the supervisor gave up');
      const over = ended();
      const current = state !== null && isRunning(state.supervisor) ? state : null;
      for (const process of current?.processes ?? []) if (process.state === 'ready') shown.add(process.name);
      if (current?.phase === 'ready') return current;
      if (over) throw new Error(`the supervisor has ended; its log: ${layout.logs}/supervisor.log`);
      note(waitingFor(current, shown));
      await sleep(30);
    }
  });
}

function waitingFor(state: SupervisorState | null, ready: ReadonlySet<string>): string {
  if (state === null || state.processes.length === 0) return 'preparing';
  const left = state.processes.filter((process) => !ready.has(process.name)).map((process) => process.name);
  return `waiting for ${left.join(', ')}`;
}
