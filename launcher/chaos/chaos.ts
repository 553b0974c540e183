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
  /** Both brokers' laboratories at the same time. */
  readonly parallel: boolean;
  /** Ends everything and removes what was made, in the middle of a fault too. */
  readonly signal: AbortSignal;
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
  const { brokers, parallel, signal, seed, progress } = options;
  let failed = false;
  const report = (broker: BrokerKind, findings: readonly Finding[]) => {
    failed ||= !findings.every(passes);
    progress.line(`\n${broker}, seed ${seed}\n${table(findings)}\n`);
  };
  const running: Promise<void>[] = [];
  const openAll = async () => {
    for (const broker of brokers) {
      if (signal.aborted) return;
      // One after the other: while it opens, a laboratory looks for free ports.
      const laboratory = await open(options, broker);
      const run = onBroker(options, laboratory).then((findings) => report(broker, findings));
      running.push(run);
      if (parallel) run.catch(() => undefined);
      else await run;
    }
  };
  const opened = await Promise.allSettled([openAll()]);
  const ended = await Promise.allSettled(running);
  if (signal.aborted) return INTERRUPTED;
  for (const one of [...opened, ...ended]) if (one.status === 'rejected') throw one.reason;
  return failed ? 1 : 0;
}

/** As a shell says it of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

function open({ root, progress, clock = systemClock, faults }: ChaosOptions, broker: BrokerKind): Promise<Laboratory> {
  return progress.step(`start a private Skyrun over ${broker}`, () =>
    openLaboratory({ root, broker, clock, node: process.execPath, smallDisks: faults.includes('disk') }),
  );
}

async function onBroker(options: ChaosOptions, laboratory: Laboratory): Promise<Finding[]> {
  const { progress, signal } = options;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error('interrupted'));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  let held = false;
  try {
    const findings = await Promise.race([hurtAll(options, laboratory), aborted.promise]);
    held = findings.every(passes);
    return findings;
  } finally {
    signal.removeEventListener('abort', abort);
    const keep = !signal.aborted && (options.keep || !held);
    await laboratory.end(keep);
    if (keep) progress.line(`  what it left: ${laboratory.logs}`);
  }
}

async function hurtAll(options: ChaosOptions, laboratory: Laboratory): Promise<Finding[]> {
  const { progress, clock = systemClock, faults } = options;
  const random = seededRandom(options.seed);
  const findings: Finding[] = [];
  const echo = await startEcho(laboratory.bus, random, clock);
  const loader = await createLoader({ ...laboratory, clock });
  for (const fault of faults) {
    const refusal = refusalOf(fault, laboratory);
    if (refusal !== null) {
      progress.line(`  - ${fault} not run: ${refusal}`);
      continue;
    }
    const finding = await progress.step(`${laboratory.broker}, ${fault}: ${FAULTS[fault].summary}`, (note) =>
      experiment({ ...options, laboratory, loader, echo, random, clock, fault, faults: options.times, say: note }),
    );
    findings.push(finding);
    progress.line(table([finding]));
  }
  await echo.close();
  return findings;
}

function refusalOf(fault: FaultName, laboratory: Laboratory): string | null {
  const known: FaultClass = FAULTS[fault];
  return known.refuses?.(laboratory) ?? null;
}
