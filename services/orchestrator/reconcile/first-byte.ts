import type { Execution } from './execution.ts';
import { settle } from './holds.ts';

/** The last phase of a cold start, as the gateway saw it: what is left of the whole when the other phases are taken off. */
export async function noteFirstByte(execution: Execution, instanceId: string, totalMs: number): Promise<void> {
  const entry = execution.world.entries.get(instanceId);
  const phases = entry?.record.startPhases;
  if (!entry || !phases || phases.firstByteMs !== undefined || entry.holds > 0) return;
  const { queueMs = 0, createMs, startMs, probeMs } = phases;
  const firstByteMs = Math.max(0, Math.round(totalMs - queueMs - createMs - startMs - probeMs));
  const update = { ...entry.record, startPhases: { ...phases, firstByteMs } };
  await settle(execution, entry, async () => {
    await execution.ledger.write({ update });
    entry.record = update;
  });
  execution.metrics.firstByte(firstByteMs);
}
