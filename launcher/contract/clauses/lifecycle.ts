import { OPERATIONS } from '@skyrun/contracts';
import { type Clause, clause, exactly } from '../clause.ts';
import { PROJECT, type World } from '../world.ts';

const LIFECYCLE = 'knative: Lifecycle';
const PROBES = 'knative: Deployment probe';
/** Of `stubborn`, which ignores SIGTERM. */
const GRACE_MS = 2_000;

export async function lifecycleClauses(world: World): Promise<Clause[]> {
  const groups = await Promise.all([stubborn(world), graceful(world), ends(world), failures(world), logs(world)]);
  return groups.flat();
}

/** Its liveness probe fails, so it is stopped; it logs for as long as it lives after SIGTERM. */
async function stubborn(world: World): Promise<Clause[]> {
  await world.json('stubborn', '/sicken');
  const ended = await world.until('the sick instance has ended', async () =>
    (await world.instances('stubborn')).find(({ state }) => state === 'failed'),
  );
  const alive = (await world.log('stubborn')).flatMap((text) => /alive (\d+) ms after SIGTERM/.exec(text)?.[1] ?? []);
  const last = Math.max(0, ...alive.map(Number));
  return [
    clause(
      'a failing livenessProbe',
      'knative: Meta Requests',
      'ends the instance',
      exactly(ended.reason, 'LivenessProbeFailed'),
    ),
    clause('SIGKILL after the grace', LIFECYCLE, `alive up to ${GRACE_MS} ms after SIGTERM, then code 137`, {
      seen: `alive ${last} ms after SIGTERM, exit code ${ended.exitCode}`,
      holds: ended.exitCode === 137 && last >= GRACE_MS - 500 && last <= GRACE_MS + 1_000,
    }),
  ];
}

/** Its service is deleted while a request is under way. */
async function graceful(world: World): Promise<Clause[]> {
  const since = new Date(world.clock.now()).toISOString();
  const underWay = world.ask('graceful', '/sleep?ms=2500');
  await world.clock.sleep(700);
  const [instance] = await world.instances('graceful');
  await world.remove('graceful');
  const answer = await underWay;
  const subject = `instances/${instance?.id}`;
  const ended = await world.until('the instance of the deleted service has ended', async () => {
    const { items } = await world.api.call(OPERATIONS.listProjectEvents, {
      params: { project: PROJECT },
      query: { type: 'skyrun.instance.stopped.v1', subject, since },
    });
    return items[0];
  });
  const { data } = ended;
  const code = typeof data === 'object' && data !== null && 'exitCode' in data ? data.exitCode : undefined;
  return [
    clause('requests in flight when an instance goes', LIFECYCLE, 'answered: 200', exactly(answer.status, 200)),
    clause('SIGTERM', LIFECYCLE, 'the app ends by itself: exit code 0', exactly(`exit code ${code}`, 'exit code 0')),
  ];
}

async function ends(world: World): Promise<Clause[]> {
  await world.ask('ends', '/exit?code=7');
  const ended = await world.until('the instance that exited is written down', async () =>
    (await world.instances('ends')).find(({ state }) => state === 'failed'),
  );
  const again = await world.ask('ends', '/');
  return [
    clause('an instance that exits', LIFECYCLE, 'its code is the reason', exactly(ended.reason, 'ExitedWith7')),
    clause('the next request', LIFECYCLE, 'answered by another: 200', exactly(again.status, 200)),
  ];
}

/** Revisions that never become ready, and what is said of them. */
async function failures(world: World): Promise<Clause[]> {
  const verdict = (service: string) =>
    world.until(`the verdict on ${service}`, async () => {
      const { items } = await world.api.call(OPERATIONS.listRevisions, { params: { project: PROJECT, service } });
      return items[0]?.conditions.find(({ type, status }) => type === 'Ready' && status === 'False');
    });
  const [exits, silent, hungry] = await Promise.all(['exits', 'silent', 'hungry'].map(verdict));
  return [
    clause('exits before it listens', PROBES, 'revision failed: ExitedWith3', exactly(exits?.reason, 'ExitedWith3')),
    clause('its last log lines', 'knative: Lifecycle (failures are logged)', 'in the message', {
      seen: exits?.message ?? 'nothing',
      holds: exits?.message?.includes('the last line before the end') === true,
    }),
    clause('never listens', PROBES, 'revision failed: ProbeTimeout', exactly(silent?.reason, 'ProbeTimeout')),
    clause('too little memory to start', PROBES, 'revision failed: OOMKilled', exactly(hungry?.reason, 'OOMKilled')),
  ];
}

async function logs(world: World): Promise<Clause[]> {
  const lines = await world.until('both lines are in the log', async () => {
    const found = (await world.log('plain')).filter((text) => text.startsWith('probe: a line on standard'));
    return found.length >= 2 && found;
  });
  return [
    clause('standard output and error', 'knative: File descriptors', 'in the log', {
      seen: lines.toSorted().slice(0, 2).join(', '),
      holds: ['output', 'error'].every((name) => lines.some((text) => text.endsWith(name))),
    }),
  ];
}
