import { systemClock as clock } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { type Cluster, until } from './cluster.ts';

export interface Kill {
  /** From the SIGKILL until another holds the lease, in milliseconds. */
  readonly ledMs: number;
  /** From the SIGKILL until a container runs that was asked for at that moment. */
  readonly effectMs: number;
}

/** How long after a change the leader dies: in the middle of the steps that the change brings. */
const DIES_WITHIN_MS = 500;

/**
 * Kills one leader after the other at random moments of work: each round replaces a service by another, so that
 * containers are started and stopped meanwhile, kills, and asks for one service more.
 */
export async function killLeaders(cluster: Cluster, kills: number, onKill: (kill: Kill) => void): Promise<Kill[]> {
  const done: Kill[] = [];
  for (let number = 1; number <= kills; number += 1) {
    const leader = await cluster.leader();
    const [work, later] = [serviceOf(cluster, `work-${number}`), serviceOf(cluster, `later-${number}`)];
    cluster.set(work);
    await clock.sleep(Math.random() * DIES_WITHIN_MS);
    const term = await cluster.term();
    const began = clock.monotonic();
    const killed = leader.kill();
    cluster.set(work, later);
    await until('another term', async () => (await cluster.term()) > term, 5);
    const ledMs = clock.monotonic() - began;
    await until('what was asked for', () => isRunning(cluster, later));
    const kill = { ledMs, effectMs: clock.monotonic() - began };
    await killed;
    done.push(kill);
    onKill(kill);
    await until('exactly what is desired', () => isConverged(cluster, [work, later]));
    await cluster.join();
  }
  cluster.set();
  await until('nothing', () => isConverged(cluster, []));
  return done;
}

export function serviceOf(cluster: Cluster, service: string): DesiredRevision {
  const template = {
    resources: { memoryMib: 128 },
    scaling: { minScale: 1, maxScale: 1 },
    terminationGraceSeconds: 1,
  };
  return desiredOf({ service, image: cluster.image.reference, template });
}

async function isRunning(cluster: Cluster, { revision }: DesiredRevision): Promise<boolean> {
  return (await cluster.running()).some(({ identity }) => identity.revisionId === revision.id);
}

/** One container per service, no other container, and the store says the same. */
export async function isConverged(cluster: Cluster, wanted: readonly DesiredRevision[]): Promise<boolean> {
  const found = await cluster.runtime.list();
  const revisions = found.map(({ identity }) => identity.revisionId).toSorted();
  if (found.some(({ state }) => state !== 'running')) return false;
  if (
    revisions.join() !==
    wanted
      .map(({ revision }) => revision.id)
      .toSorted()
      .join()
  )
    return false;
  const { rows } = await cluster.db.query(
    `SELECT id FROM instances WHERE ended_at IS NULL AND state = 'ready' ORDER BY id`,
  );
  return (
    rows.map(({ id }) => String(id)).join() ===
    found
      .map(({ identity }) => identity.instanceId)
      .toSorted()
      .join()
  );
}
