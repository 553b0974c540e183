import { createMetrics, silentLogger, systemClock } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { createOrchestratorMetrics } from '../metrics.ts';
import { leadTerm } from '../reconcile/leader.ts';
import type { DesiredRevision } from '../reconcile/records.ts';
import type { MemoryRuntime } from '../runtime/memory/memory-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { acquireLease, LEASE_NAME } from '../store/lease.ts';
import { type Change, createLedger } from '../store/ledger.ts';
import { createTrafficIntake } from '../traffic/intake.ts';

/** One effect that a leader has on the world outside of it, by what it does. */
export interface CrashPoint {
  readonly effect: string;
  readonly side: 'before' | 'after';
}

export interface Lives {
  /** Every effect that was had, in order, over all lives. */
  readonly effects: readonly string[];
  /** Every step that was done well, by kind. */
  readonly steps: ReadonlySet<string>;
  /** Whether the crash point was reached. */
  crashed(): boolean;
  desire(...revisions: readonly DesiredRevision[]): void;
  begin(): Promise<void>;
  /** The one that leads dies now; nothing of what it does from here on has an effect. */
  die(): void;
  end(): Promise<void>;
}

/**
 * Leaders, one after the other, on one store and one engine. Each dies when it comes to the crash point, the first time
 * that anyone does: from there on all its calls fail, as all that a killed process would still have done does not happen.
 * The next begins at once, with the lease that has run out.
 */
export function createLives(db: Database, engine: MemoryRuntime, crash: CrashPoint | null): Lives {
  const effects: string[] = [];
  const steps = new Set<string>();
  const ended: Promise<unknown>[] = [];
  let desired: ReadonlyMap<string, DesiredRevision> = new Map();
  let crashed = false;
  let over = new AbortController();
  let tell: () => void = () => undefined;

  async function begin(): Promise<void> {
    const own = new AbortController();
    over = own;
    await db.query(`UPDATE leases SET expires_at = now()`);
    const term = (await acquireLease(db, { name: LEASE_NAME, holder: String(effects.length), ttlMs: 600_000 })) ?? 0n;
    const alive = () => {
      if (own.signal.aborted) throw new Error('this leader is dead');
    };
    const dieAt = (effect: string, side: CrashPoint['side']) => {
      if (crashed || crash?.effect !== effect || crash.side !== side) return;
      crashed = true;
      own.abort();
      ended.push(begin());
    };
    async function act<Result>(effect: string, work: () => Promise<Result>): Promise<Result> {
      alive();
      effects.push(effect);
      dieAt(effect, 'before');
      alive();
      const result = await work();
      dieAt(effect, 'after');
      alive();
      return result;
    }
    const runtime: Runtime = {
      ...engine,
      start: (spec, may) => act('runtime.start', () => engine.start(spec, may)),
      pause: (id, may) => act('runtime.pause', () => engine.pause(id, may)),
      resume: (id, may) => act('runtime.resume', () => engine.resume(id, may)),
      restart: (id, may) => act('runtime.restart', () => engine.restart(id, may)),
      stop: (id, how, may) => act(`runtime.stop ${how.remove ? 'and remove' : ''}`, () => engine.stop(id, how, may)),
    };
    const metrics = createOrchestratorMetrics(createMetrics());
    const leading = leadTerm(
      {
        db,
        runtime,
        prober: async ({ address, port }) => engine.listens(address, port),
        intake: createTrafficIntake({ windowMs: () => 60_000 }),
        bus: { publish: async () => undefined },
        clock: systemClock,
        logger: silentLogger,
        node: 'test',
        metrics: {
          ...metrics,
          step(kind, milliseconds, well) {
            if (well) steps.add(kind);
            metrics.step(kind, milliseconds, well);
          },
        },
        logRetention: { maxAgeMs: 3_600_000, maxServiceBytes: 1_000_000 },
        openLedger(options) {
          const ledger = createLedger(options);
          return { write: (change) => act(`store ${effectOf(change)}`, () => ledger.write(change)) };
        },
        desired: () => desired,
      },
      { number: term, signal: own.signal, assertHeld: alive },
      (leader) => {
        if (leader) tell = () => leader.desiredChanged();
      },
    );
    ended.push(leading);
  }

  return {
    effects,
    steps,
    crashed: () => crashed,
    desire(...revisions) {
      desired = new Map(revisions.map((each) => [each.revision.id, each]));
      tell();
    },
    begin,
    die: () => over.abort(),
    async end() {
      over.abort();
      await Promise.allSettled(ended);
    },
  };
}

function effectOf({ insert, update, decision, events = [] }: Change): string {
  const told = events.map(({ type }) => type).filter((type) => !type.startsWith('skyrun.usage'));
  if (decision) return 'decision';
  return [insert ? 'insert' : update ? 'update' : 'verdict', ...new Set(told)].join(' ');
}
