import type { Execution } from './execution.ts';
import type { Entry } from './world.ts';

/** After a step that failed for reasons outside of it: the engine or the database was away. */
export const PAUSE_MS = 500;

/** Does something with an instance that nothing else is being done with. */
export async function withEntry(
  execution: Execution,
  instanceId: string,
  work: (entry: Entry) => Promise<void>,
): Promise<void> {
  const entry = execution.world.entries.get(instanceId);
  if (!entry || entry.holds > 0) return;
  await settle(execution, entry, () => work(entry));
}

/** While it is held no step is planned for it. */
export async function settle(
  { clock }: Pick<Execution, 'clock'>,
  entry: Entry,
  work: () => Promise<void>,
): Promise<void> {
  entry.holds += 1;
  try {
    await work();
  } catch (error) {
    entry.pausedUntil = clock.now() + PAUSE_MS;
    throw error;
  } finally {
    entry.holds -= 1;
  }
}
