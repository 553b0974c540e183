import type { Execution } from './execution.ts';
import { settle } from './holds.ts';
import { resume } from './idle.ts';
import type { InstanceRecord } from './records.ts';
import type { Entry } from './world.ts';

/** As long as another step may keep a paused instance busy; after that the request takes the slow way. */
const PATIENCE_MS = 500;
const LOOK_EVERY_MS = 2;

/**
 * Resumes the paused instance of a revision that was used last, for a request that waits. Resolves as soon as its
 * processes go on; what is written down follows. Those that take requests already are answered too, as a gateway that asks
 * may not have heard of them.
 */
export async function wakeUp(execution: Execution, revisionId: string): Promise<InstanceRecord[]> {
  const { world, clock } = execution;
  const end = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const ready = [...world.of(revisionId)].flatMap(({ record }) => (record.state === 'ready' ? [record] : []));
    if (ready.length > 0) return ready;
    const paused = [...world.of(revisionId)].filter(({ record }) => record.state === 'paused');
    const [entry] = paused
      .filter(({ holds }) => holds === 0)
      .toSorted((a, b) => (b.record.idleSince ?? 0) - (a.record.idleSince ?? 0));
    if (entry) {
      const record = await resumeNow(execution, entry);
      return record ? [record] : [];
    }
    if (paused.length === 0 || clock.monotonic() >= end) return [];
    await clock.sleep(LOOK_EVERY_MS);
  }
}

function resumeNow(execution: Execution, entry: Entry): Promise<InstanceRecord | null> {
  return new Promise((resolve, reject) => {
    execution.background(
      settle(execution, entry, () => resume(execution, entry, resolve))
        .then(() => resolve(null))
        .catch((error: unknown) => {
          execution.logger.warn({ error, instance: entry.record.instanceId }, 'an instance could not be resumed');
          reject(error);
        })
        .finally(() => execution.wake(entry.record.revisionId)),
    );
  });
}
