import type { RevisionObservation } from '@skyrun/contracts';
import { isoTime, type Logger } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { findRollout, recordSentence, runningRollouts } from '../store/rollouts.ts';
import { lockServiceById } from '../store/services.ts';
import type { RolloutRow, ServiceRow, Tables } from '../store/tables.ts';
import { settleTraffic, type TrafficDeps } from '../traffic/settle-traffic.ts';
import { decideRollout, type RolloutObservations, type RolloutVerdict } from './decide-rollout.ts';
import { moveRollout } from './move-rollout.ts';

/** Tells what gateways counted of each revision of a service. */
export interface RolloutObserver {
  observe(
    service: { readonly project: string; readonly service: string; readonly since: string },
    signal: AbortSignal,
  ): Promise<readonly (RevisionObservation & { readonly revisionId: string })[]>;
}

export interface RolloutDeps extends TrafficDeps {
  readonly db: Database;
  readonly observer: RolloutObserver;
  readonly logger: Logger;
}

/** Judged by so much of the past at most, in milliseconds; the orchestrator keeps a little more. */
const LOOK_BACK_MS = 3_600_000;
const NOTHING: RevisionObservation = { requests: 0, errors: 0, p95Ms: null };

/** Judges each running rollout once. Several processes may: the row that was judged must still be the one that is moved. */
export async function runRollouts(deps: RolloutDeps, signal: AbortSignal): Promise<void> {
  for (const row of await runningRollouts(deps.db.kysely<Tables>())) {
    signal.throwIfAborted();
    const service = await deps.db
      .kysely<Tables>()
      .selectFrom('services')
      .selectAll()
      .where('id', '=', row.service_id)
      .executeTakeFirstOrThrow();
    // Traffic that is still where it was before the step says nothing about the step.
    if (service.warming.length > 0) continue;
    const seen = row.policy.canary === undefined ? null : await observe(deps, service, row, signal);
    const verdict = decideRollout(
      row.policy,
      { step: row.step, stepSince: row.step_since.getTime() },
      seen,
      deps.clock.now(),
    );
    await apply(deps, row, verdict, seen);
  }
}

async function observe(
  { observer, clock, logger }: RolloutDeps,
  { project, name }: ServiceRow,
  row: RolloutRow,
  signal: AbortSignal,
): Promise<RolloutObservations | null> {
  const since = isoTime(Math.max(row.started_at.getTime(), clock.now() - LOOK_BACK_MS));
  try {
    const seen = await observer.observe({ project, service: name, since }, signal);
    const of = (id: string) => {
      const { requests, errors, p95Ms } = seen.find(({ revisionId }) => revisionId === id) ?? NOTHING;
      return { requests, errors, p95Ms };
    };
    return { before: of(row.from_revision_id), candidate: of(row.to_revision_id) };
  } catch (error) {
    if (signal.aborted) throw error;
    logger.debug({ error, service: name }, 'the orchestrator does not say what gateways see');
    return null;
  }
}

async function apply(
  deps: RolloutDeps,
  judged: RolloutRow,
  { verdict, percent, sentence }: RolloutVerdict,
  seen: RolloutObservations | null,
): Promise<void> {
  const { db, clock } = deps;
  if (verdict === 'hold') {
    if (sentence !== judged.sentence) await recordSentence(db.kysely<Tables>(), judged, sentence);
    return;
  }
  await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const service = await lockServiceById(store, judged.service_id);
    const row = await findRollout(store, judged.id);
    if (service?.rollout_id !== judged.id || row?.state !== 'running' || row.step !== judged.step) return;
    const now = new Date(clock.now());
    const words = {
      advance: ['advanced', { step: row.step + 1, percent, step_since: now }],
      complete: ['completed', { state: 'completed', percent, ended_at: now }],
      'roll back': ['rolled-back', { state: 'rolled-back', percent, ended_at: now }],
    } as const;
    const [said, change] = words[verdict];
    const text =
      verdict === 'roll back' ? `${row.to_revision} was rolled back to ${row.from_revision}: ${sentence}` : sentence;
    await moveRollout(tx, service, row, { verdict: said, percent, sentence: text, ...(seen ?? {}) }, change, clock);
    await settleTraffic(tx, service, deps, text);
  });
}
