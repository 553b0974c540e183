import type { Clock } from '@skyrun/kit';
import { FAULTS, type FaultContext, type FaultName } from './faults.ts';
import type { Laboratory } from './laboratory.ts';
import type { Load, Loader } from './load.ts';
import { CONSUMER_GROUP } from './names.ts';
import { type Effect, judge, type Verdict } from './verdict.ts';

export interface Finding extends Verdict {
  readonly fault: FaultName;
  readonly faults: number;
  /** Calls sent, and those that were accepted; one call carries up to 20 commands. */
  readonly attempted: number;
  readonly accepted: number;
  readonly refused: number;
  readonly deadLetters: number;
  /** Milliseconds from the lifting of each fault to the effect of the first command begun after it. */
  readonly recoveries: readonly number[];
  /** Acknowledged commands per second over the whole experiment, faults included. */
  readonly rate: number;
  /** What an absence of the broker left behind; empty for every other fault. */
  readonly drain: Drain;
  /** Why it did not come to an end; null when it did. */
  readonly stalled: string | null;
}

export interface Drain {
  /** Commands without effect when the broker came back, after which nothing new was sent until all of them had theirs. */
  readonly backlog: number;
  /** Effects per second over each fourth of the backlog, from the broker's first answer on. */
  readonly rates: readonly number[];
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

/** A wait in which nothing has moved for so long has failed: what has not come is lost or stuck. */
const STALL_MS = 180_000;
const POLL_MS = 50;
/** Commands that may be acknowledged without their effect before the publishers wait; while the broker is away, more. */
const BACKLOG = 1_000;
const BACKLOG_ABSENT = 20_000;
/** While the broker is absent each caller rests so long between two commands: what it needs is a backlog, not a busy machine. */
const CALM_MS = 200;
/** Milliseconds between the recovery from a fault and the next one. */
const PAUSE_MS = [1_000, 6_000] as const;

/** One class of faults, again and again, under load; then everything is lifted and what took effect is counted. */
export async function experiment(options: ExperimentOptions): Promise<Finding> {
  const { fault, laboratory, loader, commands, clock, random, say } = options;
  const label = `${fault}-${random.between(0, 0xff_ffff).toString(36)}`;
  const progress = followJournal(laboratory, clock);
  const most = fault === 'absent' ? BACKLOG_ABSENT : BACKLOG;
  const load = loader.start(label, {
    room: (acknowledged) => acknowledged - progress.written() < most,
    pauseMs: fault === 'absent' ? CALM_MS : 0,
  });
  const from = clock.monotonic();
  const recoveries: number[] = [];
  let stalled: string | null = null;
  let faults = 0;
  let drain: Drain = { backlog: 0, rates: [] };
  // One long absence says it all.
  const times = fault === 'absent' ? 1 : options.faults;
  const enough = () => load.acknowledged.length >= commands && faults >= times;
  try {
    while (!(enough() || clock.monotonic() - from > options.durationMs)) {
      await clock.sleep(random.between(...PAUSE_MS));
      const what = await FAULTS[fault].run(options);
      faults += 1;
      if (fault === 'absent') drain = await drained(laboratory, label, load, clock);
      const ms = await recovery(laboratory, load, progress, clock);
      recoveries.push(ms);
      say(`${what}; recovered in ${Math.round(ms)} ms; ${load.acknowledged.length} acknowledged`);
    }
    await within(clock, load.finish(), 'commands are still not acknowledged');
  } catch (error) {
    stalled = error instanceof Error ? error.message : String(error);
  } finally {
    progress.stop();
  }
  const seconds = (clock.monotonic() - from) / 1_000;
  const effects = await settledEffects(laboratory, label, load, clock);
  const letters = laboratory.bus.deadLetters(CONSUMER_GROUP);
  const dead = (await letters.list()).items.map(({ id }) => id);
  await letters.discard(dead, 'counted');
  return {
    ...judge(load.acknowledged, effects),
    fault,
    faults,
    attempted: load.attempted(),
    accepted: load.accepted(),
    refused: load.refused(),
    deadLetters: dead.length,
    recoveries,
    rate: load.acknowledged.length / seconds,
    drain,
    stalled,
  };
}

async function recovery(laboratory: Laboratory, load: Load, progress: Journal, clock: Clock): Promise<number> {
  const from = clock.monotonic();
  const { subject, item } = await within(clock, load.next(), 'no command is acknowledged after the fault');
  let written = progress.written();
  let moved = clock.monotonic();
  for (;;) {
    const rows = await query(laboratory.effects, clock, 'select 1 from journal where subject = $1 and item = $2', [
      subject,
      item,
    ]);
    if (rows.length > 0) return clock.monotonic() - from;
    if (progress.written() !== written) moved = clock.monotonic();
    written = progress.written();
    if (clock.monotonic() - moved > STALL_MS) {
      throw new Error(`${subject} ${item} has no effect, and nothing else took effect for ${STALL_MS / 1_000} s`);
    }
    await clock.sleep(POLL_MS);
  }
}

interface Journal {
  /** Effects since it is followed, a few more where writing was given up in between. */
  written(): number;
  stop(): void;
}

/** Asks twice a second how far the team service has come. */
function followJournal({ effects }: Laboratory, clock: Clock): Journal {
  let first: number | undefined;
  let written = 0;
  let cancel: (() => void) | undefined;
  let going = true;
  const look = async () => {
    try {
      const { rows } = await effects.query<{ last: string }>('select last_value as last from journal_id_seq');
      first ??= Number(rows[0]?.last ?? 0);
      written = Number(rows[0]?.last ?? 0) - first;
    } catch {
      // PostgreSQL is one of those that are hurt; what was known stays.
    }
    if (going) cancel = clock.setTimeout(500, () => void look());
  };
  void look();
  return {
    written: () => written,
    stop() {
      going = false;
      cancel?.();
    },
  };
}

/** Waits until as many effects are there as commands, or nothing more comes. */
async function settledEffects(laboratory: Laboratory, label: string, load: Load, clock: Clock): Promise<Effect[]> {
  const read = async () => {
    const rows = await query(
      laboratory.effects,
      clock,
      `select subject, item, sequence from journal where subject like $1 or subject like $2 order by id`,
      [`projects/${label}-%`, `orders/${label}-%`],
    );
    return rows.map((row) => ({
      subject: String(row['subject']),
      item: String(row['item']),
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

/** Holds the load until everything that waits has taken effect: what is measured is the backlog alone. */
async function drained(laboratory: Laboratory, label: string, load: Load, clock: Clock): Promise<Drain> {
  const count = async () => {
    const rows = await query(
      laboratory.effects,
      clock,
      'select count(*)::int as count from journal where subject like $1 or subject like $2',
      [`projects/${label}-%`, `orders/${label}-%`],
    );
    return Number(rows[0]?.['count'] ?? 0);
  };
  const from = clock.monotonic();
  const resume = await load.hold();
  const before = await count();
  const backlog = load.acknowledged.length - before;
  const rates: number[] = [];
  let mark = { at: from, written: before };
  let moved = { at: from, written: before };
  while (rates.length < 4) {
    const written = await count();
    const at = clock.monotonic();
    if (written > moved.written) moved = { at, written };
    if (at - moved.at > STALL_MS)
      throw new Error(`${before + backlog - written} commands of the absence have no effect`);
    if (written >= before + (backlog * (rates.length + 1)) / 4) {
      rates.push((written - mark.written) / ((at - mark.at) / 1_000));
      mark = { at, written };
    } else await clock.sleep(200);
  }
  resume();
  return { backlog, rates };
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
