import type { Clock } from '@skyrun/kit';
import { FAULTS, type FaultContext, type FaultName } from './faults.ts';
import type { Laboratory } from './laboratory.ts';
import type { Load, Loader } from './load.ts';
import { CONSUMER_GROUP } from './names.ts';
import { type Effect, judge, type Verdict } from './verdict.ts';

export interface Finding extends Verdict {
  readonly fault: FaultName;
  readonly faults: number;
  readonly attempted: number;
  readonly refused: number;
  readonly deadLetters: number;
  /** Milliseconds from the lifting of each fault to the effect of the first command begun after it. */
  readonly recoveries: readonly number[];
  /** Acknowledged commands per second over the whole experiment, faults included. */
  readonly rate: number;
  /** Events that waited when the last fault was lifted, and how many of them took effect per second. */
  readonly backlog: number;
  readonly drainRate: number;
  /** Why it did not come to an end; null when it did. */
  readonly stalled: string | null;
}

export interface ExperimentOptions extends FaultContext {
  readonly fault: FaultName;
  readonly loader: Loader;
  /** Acknowledged commands at least. */
  readonly commands: number;
  /** Faults at least. */
  readonly faults: number;
  /** Milliseconds after which no new fault comes, whatever was reached. */
  readonly durationMs: number;
  readonly say: (text: string) => void;
}

/** Every wait of an experiment ends by then; what has not come is lost or stuck. */
const STALL_MS = 180_000;
const POLL_MS = 25;

/** One class of faults, again and again, under load; then everything is lifted and what took effect is counted. */
export async function experiment(options: ExperimentOptions): Promise<Finding> {
  const { fault, laboratory, loader, commands, clock, random, say } = options;
  const label = `${fault}-${random.between(0, 0xff_ffff).toString(36)}`;
  const load = loader.start(label);
  const from = clock.monotonic();
  const recoveries: number[] = [];
  let stalled: string | null = null;
  let faults = 0;
  let backlog = 0;
  let lifted = from;
  const enough = () => load.acknowledged.length >= commands && faults >= options.faults;
  try {
    while (!(enough() || clock.monotonic() - from > options.durationMs)) {
      await clock.sleep(random.between(300, 1_500));
      const what = await FAULTS[fault].run(options);
      faults += 1;
      lifted = clock.monotonic();
      backlog = await waiting(laboratory, clock);
      const ms = await recovery(laboratory, load, clock);
      recoveries.push(ms);
      say(`${what}; recovered in ${Math.round(ms)} ms; ${load.acknowledged.length} acknowledged`);
    }
    await within(clock, load.finish(), 'commands are still not acknowledged');
  } catch (error) {
    stalled = error instanceof Error ? error.message : String(error);
  }
  const seconds = (clock.monotonic() - from) / 1_000;
  const effects = await settledEffects(laboratory, label, load, clock);
  const drained = clock.monotonic();
  const letters = laboratory.bus.deadLetters(CONSUMER_GROUP);
  const dead = (await letters.list()).items.map(({ id }) => id);
  await letters.discard(dead, 'counted');
  return {
    ...judge(load.acknowledged, effects),
    fault,
    faults,
    attempted: load.attempted(),
    refused: load.refused(),
    deadLetters: dead.length,
    recoveries,
    rate: load.acknowledged.length / seconds,
    backlog,
    drainRate: backlog === 0 ? 0 : backlog / ((drained - lifted) / 1_000),
    stalled,
  };
}

async function recovery(laboratory: Laboratory, load: Load, clock: Clock): Promise<number> {
  const from = clock.monotonic();
  const { project, who } = await within(clock, load.next(), 'no command is acknowledged after the fault');
  const arrived = async () => {
    for (;;) {
      const rows = await query(laboratory.effects, clock, 'select 1 from effects where project = $1 and who = $2', [
        project,
        who,
      ]);
      if (rows.length > 0) return;
      await clock.sleep(POLL_MS);
    }
  };
  await within(clock, arrived(), `${project} ${who} has no effect`);
  return clock.monotonic() - from;
}

/** Waits until as many effects are there as commands, or nothing more comes. */
async function settledEffects(laboratory: Laboratory, label: string, load: Load, clock: Clock): Promise<Effect[]> {
  const read = async () => {
    const rows = await query(
      laboratory.effects,
      clock,
      `select project, who, sequence from effects where project like $1 order by id`,
      [`${label}-%`],
    );
    return rows.map((row) => ({
      project: String(row['project']),
      who: String(row['who']),
      sequence: Number(row['sequence']),
    }));
  };
  let still = clock.monotonic();
  let count = -1;
  for (;;) {
    const effects = await read();
    if (effects.length !== count) still = clock.monotonic();
    count = effects.length;
    const verdict = judge(load.acknowledged, effects);
    // What was repeated late must have had its chance to do harm.
    if (clock.monotonic() - still > (verdict.lost === 0 ? 2_000 : STALL_MS)) return effects;
    await clock.sleep(500);
  }
}

/** Events of the commands that are not sent yet. */
async function waiting({ outbox }: Laboratory, clock: Clock): Promise<number> {
  const rows = await query(outbox, clock, 'select count(*)::int as count from outbox where sent_at is null', []);
  return Number(rows[0]?.['count'] ?? 0);
}

/** Asks until PostgreSQL answers: it is one of those that are hurt. */
async function query(
  db: Laboratory['effects'],
  clock: Clock,
  sql: string,
  parameters: readonly unknown[],
): Promise<readonly Record<string, unknown>[]> {
  const until = clock.monotonic() + STALL_MS;
  for (;;) {
    try {
      return (await db.query<Record<string, unknown>>(sql, [...parameters])).rows;
    } catch (error) {
      if (clock.monotonic() > until) throw error;
      await clock.sleep(100);
    }
  }
}

async function within<Result>(clock: Clock, work: Promise<Result>, complaint: string): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.setTimeout(STALL_MS, () => late.reject(new Error(`${complaint} within ${STALL_MS / 1_000} s`)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}
