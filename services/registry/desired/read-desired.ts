import { createHash } from 'node:crypto';
import type { DesiredState } from '@skyrun/contracts';
import { suspendRevisions } from '../paused/paused-projects.ts';
import { pausedProjects } from '../store/paused.ts';
import { completeServices, readServices, retiredRevisions } from '../store/services.ts';
import { atOneMoment, type UseCaseDeps } from '../use-case.ts';
import { buildDesired } from './build-desired.ts';

/** How long a revision is listed as retired although nothing of it runs any more, in milliseconds. */
const RETIRED_MS = 5 * 60_000;
const MAX_RETIRED = 1000;

/** What should run, as the database says at one moment. */
export async function readDesired({ db, clock }: Pick<UseCaseDeps, 'db' | 'clock'>): Promise<DesiredState> {
  const revisions = await atOneMoment(db, async (store) => {
    const states = await completeServices(store, await readServices(store, 'all'));
    const retired = await retiredRevisions(store, new Date(clock.now() - RETIRED_MS), MAX_RETIRED);
    return suspendRevisions(buildDesired(states, retired, clock.now()), await pausedProjects(store));
  });
  const version = createHash('sha256').update(JSON.stringify(revisions)).digest('base64url').slice(0, 22);
  return { version, revisions };
}
