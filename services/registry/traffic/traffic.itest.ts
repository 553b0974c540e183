import { type AnyEvent, OPERATIONS, parseEvent, type Route, type Service, type TrafficTarget } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { instanceOf, startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    { SKYRUN_RETAINED_REVISIONS: '3' },
  );
  await uploadAnImage(registry, 'demo');
});
afterAll(async () => {
  await registry?.close();
});

const params = (service: string) => ({ project: 'demo', service });
const create = (name: string, spec: object = {}) =>
  registry.client.call(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: { name, spec: { template: { image: 'web:v1' }, ...spec } },
  });
const change = (service: string, port: number, spec: object = {}) =>
  registry.client.call(OPERATIONS.replaceService, {
    params: params(service),
    body: { spec: { template: { image: 'web:v1', port }, ...spec } },
  });
const get = (service: string) => registry.client.call(OPERATIONS.getService, { params: params(service) });
type Target = Partial<TrafficTarget>;
const assign = (service: string, traffic: Target[], headers = {}) =>
  registry.client.call(OPERATIONS.updateTraffic, { params: params(service), body: { traffic }, headers });
const goBack = (service: string, toRevision?: string) =>
  registry.client.call(OPERATIONS.rollBack, {
    params: params(service),
    body: toRevision === undefined ? {} : { toRevision },
  });
const shares = ({ status }: Service) =>
  status.traffic.map(({ revisionName, percent, tag }) => `${percent}:${revisionName.slice(-1)}${tag ? `@${tag}` : ''}`);
const routesReady = ({ status }: Service) => status.conditions.find(({ type }) => type === 'RoutesReady');

async function tell(type: string, subject: string, data: object): Promise<void> {
  const event: AnyEvent = parseEvent({
    specversion: '1.0',
    id: newId('event', systemClock),
    source: '/skyrun/orchestrator',
    type,
    subject,
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    project: 'demo',
    sequence: 1,
    data,
  });
  await registry.bus.publish([event]);
}

/** The orchestrator says that a revision is ready, and that so many of its instances take requests. */
async function proves(name: string, instances: number): Promise<void> {
  const revision = await registry.client.call(OPERATIONS.getRevision, { params: { project: 'demo', revision: name } });
  const { id: revisionId, project, service, serviceId } = revision;
  const ready = Array.from({ length: instances }, () =>
    instanceOf(revision, { id: newId('instance', systemClock), startPhases: { createMs: 1, startMs: 1, probeMs: 1 } }),
  );
  const { observed } = registry.orchestrator;
  registry.orchestrator.observed = {
    instances: [...observed.instances, ...ready],
    revisions: [
      ...observed.revisions.filter((known) => known.revisionId !== revisionId),
      { revisionId, state: 'ready' },
    ],
  };
  for (const instance of ready) await tell('skyrun.instance.ready.v1', `instances/${instance.id}`, instance);
  await tell('skyrun.revision.ready.v1', `revisions/${revisionId}`, {
    project,
    service,
    serviceId,
    revisionId,
    revisionName: name,
  });
}

async function until(service: string, holds: (service: Service) => boolean): Promise<Service> {
  for (let tries = 0; ; tries += 1) {
    const found = await get(service);
    if (holds(found) || tries > 1_200) return found;
    await systemClock.sleep(25);
  }
}

async function routesOf(service: string): Promise<Record<string, string>> {
  for await (const frame of registry.client.stream(OPERATIONS.followRoutes, {})) {
    const routes = frame.kind === 'snapshot' ? frame.routes : [];
    const own = routes.filter((route: Route) => route.service === service);
    return Object.fromEntries(
      own.map(({ host, targets }: Route) => [
        host,
        targets.map(({ percent, revisionName }) => `${percent}:${revisionName.slice(-1)}`).join(' '),
      ]),
    );
  }
  return {};
}

async function eventsOf(service: string, type: string) {
  const { rows } = await registry.db.query<{ data: { sentence?: string; decision?: { verdict: string } } }>(
    `select event->'data' as data from outbox where event->>'subject' = $1 and event->>'type' = $2 order by id`,
    [`services/demo/${service}`, type],
  );
  return rows.map(({ data }) => data);
}

it('splits, tags, pins and goes back, with routes, status and events that say so', async () => {
  await create('web');
  await proves('web-00001', 1);
  await until('web', ({ status }) => status.traffic.length > 0);
  await change('web', 81);
  await proves('web-00002', 1);
  expect(shares(await until('web', (found) => shares(found)[0] === '100:2'))).toEqual(['100:2']);

  const split = await assign('web', [
    { revisionName: 'web-00001', percent: 90 },
    { latestRevision: true, percent: 10, tag: 'next' },
  ]);
  expect(shares(split)).toEqual(['90:1', '10:2@next']);
  expect(split.status.traffic).toMatchObject([
    { latestRevision: false, url: 'http://web.demo.localhost:8080' },
    { latestRevision: true, url: 'http://next---web.demo.localhost:8080' },
  ]);
  await expect
    .poll(() => routesOf('web'))
    .toEqual({
      'web.demo.localhost': '90:1 10:2',
      'next---web.demo.localhost': '100:2',
    });
  const desired = await registry.client.call(OPERATIONS.getDesired);
  expect(desired.revisions.filter(({ revision }) => revision.service === 'web').map(({ want }) => want)).toEqual([
    'serving',
    'serving',
  ]);

  await expect(assign('web', [{ percent: 100 }], { 'if-match': '"1"' })).rejects.toMatchObject({
    code: 'resource.precondition_failed',
  });
  await expect(assign('web', [{ revisionName: 'web-00009', percent: 100 }])).rejects.toMatchObject({
    errors: [{ field: '/traffic/0/revisionName' }],
  });

  const pinned = await assign('web', [{ revisionName: 'web-00002', percent: 100 }]);
  expect(shares(pinned)).toEqual(['100:2']);
  await expect.poll(() => routesOf('web')).toEqual({ 'web.demo.localhost': '100:2' });
  expect(shares(await goBack('web'))).toEqual(['100:1']);
  expect(shares(await goBack('web', 'web-00002'))).toEqual(['100:2']);
  const told = await eventsOf('web', 'skyrun.traffic.moved.v1');
  expect(told.map(({ sentence }) => sentence)).toEqual([
    expect.stringContaining('100 % to web-00001'),
    expect.stringContaining('100 % to web-00002'),
    '90 % to web-00001, 10 % to web-00002 (tag next): traffic was set by hand',
    '100 % to web-00002: traffic was set by hand',
    '100 % to web-00001: rolled back to web-00001 by hand',
    '100 % to web-00002: rolled back to web-00002 by hand',
  ]);
});

it('has nothing to go back to at first, and says so', async () => {
  await create('lone');
  await expect(goBack('lone')).rejects.toMatchObject({ code: 'resource.conflict' });
});

it('moves traffic to a cold revision only when an instance of it takes requests', async () => {
  await create('cold');
  await proves('cold-00001', 1);
  await until('cold', ({ status }) => status.instances.ready === 1 && status.traffic.length > 0);
  await change('cold', 81);
  await proves('cold-00002', 0);
  const waiting = await until('cold', (found) => routesReady(found)?.reason === 'WaitingForInstance');
  expect(shares(waiting)).toEqual(['100:1']);
  expect(routesReady(waiting)?.message).toContain('cold-00002');
  const desired = await registry.client.call(OPERATIONS.getDesired);
  expect(
    desired.revisions
      .filter(({ revision }) => revision.service === 'cold')
      .map(({ want, revision }) => `${revision.number} ${want}`),
  ).toEqual(['1 serving', '2 starting']);
  await proves('cold-00002', 1);
  const moved = await until('cold', (found) => shares(found)[0] === '100:2');
  expect(routesReady(moved)?.status).toBe('True');
});

it('leaves traffic where it was when a pinned revision never becomes ready, with its last words', async () => {
  await create('stuck');
  await proves('stuck-00001', 1);
  await until('stuck', ({ status }) => status.traffic.length > 0);
  await change('stuck', 81, { traffic: [{ revisionName: 'stuck-00001', percent: 100 }] });
  expect(routesReady(await assign('stuck', [{ revisionName: 'stuck-00002', percent: 100 }]))).toMatchObject({
    status: 'Unknown',
    reason: 'RevisionNotReady',
  });
  const { id: revisionId, serviceId } = await registry.client.call(OPERATIONS.getRevision, {
    params: { project: 'demo', revision: 'stuck-00002' },
  });
  const message = 'The container exited with code 3. Its last log lines:\nno database';
  await tell('skyrun.revision.failed.v1', `revisions/${revisionId}`, {
    project: 'demo',
    service: 'stuck',
    serviceId,
    revisionId,
    revisionName: 'stuck-00002',
    reason: 'ExitedWith3',
    message,
  });
  const failed = await until('stuck', (found) => routesReady(found)?.status === 'False');
  expect(shares(failed)).toEqual(['100:1']);
  expect(routesReady(failed)?.message).toContain(message);
});

const POLICY = {
  steps: [
    { percent: 10, seconds: 5 },
    { percent: 50, seconds: 1 },
  ],
};

it('rolls out step by step, over a restart, and tells of each', async () => {
  await create('steps', { rollout: POLICY });
  await proves('steps-00001', 1);
  await until('steps', ({ status }) => status.traffic.length > 0);
  await change('steps', 81, { rollout: POLICY });
  await proves('steps-00002', 1);
  // It may begin before its instance is known; then nothing has moved yet.
  const begun = await until('steps', (found) => found.status.rollout !== undefined && shares(found).length === 2);
  expect(shares(begun)).toEqual(['90:1', '10:2']);
  expect(routesReady(begun)).toMatchObject({ status: 'Unknown', reason: 'RolloutInProgress' });
  await registry.restart();
  const done = await until('steps', ({ status }) => status.rollout?.state === 'completed');
  expect(shares(done)).toEqual(['100:2']);
  expect(routesReady(done)?.status).toBe('True');
  const { items } = await registry.client.call(OPERATIONS.listRollouts, { params: params('steps') });
  expect(items[0]?.decisions.map(({ verdict, percent }) => `${verdict} ${percent}`)).toEqual([
    'started 10',
    'advanced 50',
    'completed 100',
  ]);
  expect((await eventsOf('steps', 'skyrun.rollout.decided.v1')).map(({ decision }) => decision?.verdict)).toEqual([
    'started',
    'advanced',
    'completed',
  ]);
});

it('takes a canary back that answers worse, keeps it back, and lets a person overrule it', async () => {
  const rollout = { steps: [{ percent: 20, seconds: 600 }], canary: {} };
  await create('canary', { rollout });
  await proves('canary-00001', 1);
  await until('canary', ({ status }) => status.traffic.length > 0);
  await change('canary', 81, { rollout });
  const ids = await registry.client.call(OPERATIONS.listRevisions, { params: params('canary') });
  const [two, one] = ids.items;
  registry.orchestrator.observations = [
    { revisionId: one?.id ?? '', requests: 4000, errors: 4, p95Ms: 20 },
    { revisionId: two?.id ?? '', requests: 1000, errors: 300, p95Ms: 20 },
  ];
  await proves('canary-00002', 1);
  const back = await until('canary', ({ status }) => status.rollout?.state === 'rolled-back');
  expect(shares(back)).toEqual(['100:1']);
  expect(back.status.rollout?.sentence).toBe(
    'canary-00002 was rolled back to canary-00001: 30 % of its 1000 answers failed, of the old revision’s 0.1 %: more than 2 points worse',
  );
  expect(routesReady(back)).toMatchObject({ status: 'False', reason: 'RolledBack' });
  expect(back.status.latestReadyRevision).toBe('canary-00002');
  const overruled = await assign('canary', [{ latestRevision: true, percent: 100 }]);
  expect(shares(overruled)).toEqual(['100:2']);
  expect(routesReady(overruled)?.status).toBe('True');
});

it('forgets old revisions that nothing refers to, and says why', async () => {
  await create('many');
  for (const port of [81, 82]) await change('many', port);
  await change('many', 83, { traffic: [{ revisionName: 'many-00001', percent: 100 }] });
  for (const port of [84, 85]) await change('many', port, { traffic: [{ revisionName: 'many-00001', percent: 100 }] });
  const { items } = await registry.client.call(OPERATIONS.listRevisions, { params: params('many') });
  expect(items.map(({ number }) => number)).toEqual([6, 5, 4, 1]);
  const pruned = await eventsOf('many', 'skyrun.revision.pruned.v1');
  expect(pruned).toMatchObject([
    { revisionName: 'many-00002', reason: expect.stringContaining('3 newer revisions') },
    { revisionName: 'many-00003' },
  ]);
});
