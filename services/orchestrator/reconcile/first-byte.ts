import { traceFirstByte } from '../starts/trace-start.ts';
import type { Execution } from './execution.ts';
import { settle } from './holds.ts';
import { instanceEvent } from './transitions.ts';

/** The last phase of a cold start, as the gateway saw it: what is left of the whole when the other phases are taken off. */
export async function noteFirstByte(execution: Execution, instanceId: string, totalMs: number): Promise<void> {
  const entry = execution.world.entries.get(instanceId);
  const phases = entry?.record.startPhases;
  if (!entry || !phases || phases.firstByteMs !== undefined || entry.holds > 0) return;
  const { queueMs = 0, createMs, startMs, probeMs, kind = 'created' } = phases;
  const firstByteMs = Math.max(0, Math.round(totalMs - queueMs - createMs - startMs - probeMs));
  const update = { ...entry.record, startPhases: { ...phases, firstByteMs } };
  await settle(execution, entry, async () => {
    const { startTrace } = entry;
    const events = [instanceEvent('skyrun.instance.answered.v1', update, startTrace?.traceparent)];
    await execution.ledger.write({ update, completesStart: true, events });
    if (startTrace) traceFirstByte(startTrace, firstByteMs);
    entry.record = update;
  });
  execution.metrics.firstByte(firstByteMs, kind);
}
