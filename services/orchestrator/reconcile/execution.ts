import type { Clock, Logger } from '@skyrun/kit';
import type { LogCollector } from '../logs/collector.ts';
import type { OrchestratorMetrics } from '../metrics.ts';
import type { Ask } from '../probes/ask.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { WaitingRequest } from '../starts/trace-start.ts';
import type { Ledger } from '../store/ledger.ts';
import type { InstanceRecord } from './records.ts';
import type { World } from './world.ts';

/** All that a step needs. One per term: when the signal aborts, nothing more is started, and the ledger refuses. */
export interface Execution {
  readonly world: World;
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly logs: Pick<LogCollector, 'finish'>;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OrchestratorMetrics;
  /** Name of the machine, for the instances that run here. */
  readonly node: string;
  readonly signal: AbortSignal;
  /** A background task of the term; its end is waited for. */
  background(task: Promise<void>): void;
  /** An instance became ready. */
  onReady(record: InstanceRecord): void;
  /** The request that has waited longest for the revision, as gateways say; null when none does. */
  waiting(revisionId: string): WaitingRequest | null;
  /** There is news of a revision: plan for it again. */
  wake(revisionId: string): void;
}

/** As much of an ended instance's output as tells why it failed. */
const LAST_LINES = 10;
const LAST_LINES_WITHIN_MS = 5_000;

/** The last lines of an instance; none where they cannot be had, as its end matters more than its words. */
export async function lastLines(
  { runtime, logger, clock }: Execution,
  { instanceId }: InstanceRecord,
): Promise<string[]> {
  const lines: string[] = [];
  const late = new AbortController();
  const cancel = clock.setTimeout(LAST_LINES_WITHIN_MS, () => late.abort());
  try {
    for await (const { text } of runtime.logs(instanceId, { follow: false, tail: LAST_LINES, signal: late.signal }))
      lines.push(storable(text));
  } catch (error) {
    logger.warn({ error, instance: instanceId }, 'the last log lines could not be read');
  } finally {
    cancel();
  }
  return lines;
}

/** PostgreSQL holds no NUL in JSON. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD');
}
