import type { LogLine } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger } from '@skyrun/kit';
import type { OrchestratorMetrics } from '../metrics.ts';
import type { Prober } from '../probes/probe.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Ledger } from '../store/ledger.ts';
import type { InstanceRecord } from './records.ts';
import type { World } from './world.ts';

/** All that a step needs. One per term: when the signal aborts, nothing more is started, and the ledger refuses. */
export interface Execution {
  readonly world: World;
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly prober: Prober;
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
  /** Plan again. */
  wake(): void;
}

/** How much of an ended instance's output outlives its container. */
const KEPT_LINES = 500;
const KEPT_CHARACTERS = 128 * 1024;

/** The last lines of an instance; none where they cannot be had, as its end matters more than its words. */
export async function lastLines({ runtime, logger }: Execution, record: InstanceRecord): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  try {
    for await (const line of runtime.logs(record.instanceId, { follow: false, tail: KEPT_LINES })) {
      const { instanceId, revisionName } = record;
      lines.push({ at: isoTime(line.at), instanceId, revisionName, stream: line.stream, text: storable(line.text) });
    }
  } catch (error) {
    logger.warn({ error, instance: record.instanceId }, 'the last log lines could not be read');
  }
  let characters = 0;
  const from = lines.findLastIndex(({ text }) => {
    characters += text.length;
    return characters > KEPT_CHARACTERS;
  });
  return lines.slice(from + 1);
}

/** PostgreSQL holds no NUL in JSON. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD');
}
