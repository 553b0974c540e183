import { type Clock, systemClock } from '@skyrun/kit';
import { UsageError } from '../command.ts';
import type { Progress } from '../up/progress.ts';
import { startEcho } from './echo.ts';
import { experiment, type Finding } from './experiment.ts';
import { FAULT_NAMES, FAULTS, type FaultClass, type FaultName } from './faults.ts';
import { type BrokerKind, type Laboratory, openLaboratory } from './laboratory.ts';
import { createLoader } from './load.ts';
import { seededRandom } from './random.ts';
import { passes, table } from './table.ts';

export interface ChaosOptions {
  readonly root: string;
  readonly brokers: readonly BrokerKind[];
  readonly faults: readonly FaultName[];
  readonly seed: number;
  /** Acknowledged commands per fault class, at least. */
  readonly commands: number;
  /** Faults per class, at least. */
  readonly times: number;
  /** Milliseconds per fault class, at most. */
  readonly durationMs: number;
  readonly absenceMs: number;
  readonly keep: boolean;
  readonly progress: Progress;
  readonly clock?: Clock;
}

/** Fault classes by name; all but `absent`, which takes its time, when none is named. @throws UsageError */
export function parseFaults(text: string | undefined): FaultName[] {
  if (text === undefined) return FAULT_NAMES.filter((name) => name !== 'absent');
  return text.split(',').map((name) => {
    const known = FAULT_NAMES.find((each) => each === name.trim());
    if (known === undefined) throw new UsageError(`--faults: there is no ${name}; there are ${FAULT_NAMES.join(', ')}`);
    return known;
  });
}

/** @throws UsageError */
export function parseBrokers(text: string | undefined): BrokerKind[] {
  if (text === undefined || text === 'both') return ['redis', 'rabbitmq'];
  if (text === 'redis' || text === 'rabbitmq') return [text];
  throw new UsageError(`--broker: expected redis, rabbitmq or both, got ${text}`);
}

/** Runs every fault class on every broker; resolves with the exit code: 1 on loss, a second effect, disorder or a standstill. */
export async function chaos(options: ChaosOptions): Promise<number> {
  let failed = false;
  for (const broker of options.brokers) {
    const findings = await onBroker(options, broker);
    failed ||= !findings.every(passes);
    options.progress.line(`\n${broker}, seed ${options.seed}\n${table(findings)}\n`);
  }
  return failed ? 1 : 0;
}

async function onBroker(options: ChaosOptions, broker: BrokerKind): Promise<Finding[]> {
  const { root, progress, clock = systemClock, faults } = options;
  const random = seededRandom(options.seed);
  const laboratory = await progress.step(`start a private Skyrun over ${broker}`, () =>
    openLaboratory({ root, broker, clock, node: process.execPath, smallDisks: faults.includes('disk') }),
  );
  const findings: Finding[] = [];
  let held = false;
  try {
    const echo = await startEcho(laboratory.bus, random, clock);
    const loader = await createLoader({ ...laboratory, clock });
    for (const fault of faults) {
      const refusal = refusalOf(fault, laboratory);
      if (refusal !== null) {
        progress.line(`  - ${fault} not run: ${refusal}`);
        continue;
      }
      const finding = await progress.step(`${fault}: ${FAULTS[fault].summary}`, (note) =>
        experiment({ ...options, laboratory, loader, echo, random, clock, fault, faults: options.times, say: note }),
      );
      findings.push(finding);
      if (!passes(finding)) progress.line(table([finding]));
    }
    held = findings.every(passes);
    await echo.close();
  } finally {
    const keep = options.keep || !held;
    await laboratory.end(keep);
    if (keep) progress.line(`  what it left: ${laboratory.logs}`);
  }
  return findings;
}

function refusalOf(fault: FaultName, laboratory: Laboratory): string | null {
  const known: FaultClass = FAULTS[fault];
  return known.refuses?.(laboratory) ?? null;
}
