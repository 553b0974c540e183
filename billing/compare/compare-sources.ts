/**
 * Two sources measure an instance without knowing of each other: gateways say when it was busy, the runtime's sampler when
 * it lived and was paused. Busy time outside of its life, or in a pause, means that one of them is wrong. It is billed all
 * the same, as the gateways served it, and told as an event.
 */
import { BILLED_TICK_MS, type EventDraft } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { type BillingContext, SOURCE } from '../context.ts';
import { lockAccounts } from '../store/accounts.ts';
import { comparedUntil, measureSources, type SourceMeasure, setComparedUntil } from '../store/usage-sources.ts';
import { SETTLED_MS } from './settled.ts';

/** How much is compared at a time at most, ms. */
const LONGEST_MS = 3_600_000;
/** Less is no difference, ms: a tick that a run was rounded up by, and clocks of two machines that are not quite the same. */
const TOLERANCE_MS = BILLED_TICK_MS + 400;

type Differed = EventDraft<'skyrun.usage.differed.v1'>;

/** Compares what a project used since the last time; each stretch of time once, by however many replicas. */
export async function compareSources(context: BillingContext, project: string): Promise<number> {
  const { db, clock, logger } = context;
  const now = clock.now();
  const drafts = await db.transaction(async (tx) => {
    const connection = tx.kysely<unknown>();
    await lockAccounts(connection, [project]);
    const settled = now - SETTLED_MS;
    const from = (await comparedUntil(connection, project)) ?? settled - LONGEST_MS;
    const until = Math.min(settled, from + LONGEST_MS);
    if (until <= from) return [];
    const measures = await measureSources(connection, project, from, until);
    const found = measures.flatMap((one) => differencesOf(project, one, from, until));
    await setComparedUntil(connection, project, until);
    if (found.length > 0) await appendEvents(tx, SOURCE, found, clock);
    return found;
  });
  for (const { data } of drafts) logger.warn({ ...data }, 'gateways and runtime measured an instance differently');
  return drafts.length;
}

function differencesOf(project: string, measure: SourceMeasure, from: number, until: number): Differed[] {
  const { service, revisionName, instanceId, busyMs, aliveMs } = measure;
  const kinds = [
    ['busy_outside_lifetime', measure.outsideMs],
    ['busy_while_paused', measure.pausedMs],
  ] as const;
  return kinds
    .filter(([, ms]) => ms > TOLERANCE_MS)
    .map(([what, differenceMs]) => ({
      type: 'skyrun.usage.differed.v1',
      subject: `services/${project}/${service}`,
      project,
      data: {
        project,
        service,
        revisionName,
        instanceId,
        from: isoTime(from),
        until: isoTime(until),
        what,
        gatewayMs: busyMs,
        runtimeMs: aliveMs,
        differenceMs,
      },
    }));
}
