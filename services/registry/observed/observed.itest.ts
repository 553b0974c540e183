import {
  type AnyEvent,
  type EventDraft,
  type Instance,
  OPERATIONS,
  parseEvent,
  type Revision,
  type RouteFrame,
} from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import type { Transaction } from '@skyrun/postgres';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerEntries, imageOf, layerWith, tarOf } from '../images/archive/image.fixture.ts';
import { instanceOf, startTestRegistry, type TestRegistry } from '../registry.fixture.ts';
import { ADDRESS } from '../services/state.fixture.ts';
import { syncObserved } from './sync-observed.ts';
import { takeInstance, takeVerdict } from './take-over.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  });
  const archive = await tarOf(dockerEntries(imageOf([await layerWith('hello')])));
  await registry.client.call(OPERATIONS.uploadImage, {
    params: { project: 'demo' },
    stream: (async function* () {
      yield archive;
    })(),
  });
});
afterAll(async () => {
  await registry?.close();
});

const deploy = async (name: string) =>
  await registry.client.call(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: { name, spec: { template: { image: 'web:v1' } } },
  });
const change = async (service: string, port: number) =>
  await registry.client.call(OPERATIONS.replaceService, {
    params: { project: 'demo', service },
    body: { spec: { template: { image: 'web:v1', port } } },
  });
const get = async (service: string) =>
  await registry.client.call(OPERATIONS.getService, { params: { project: 'demo', service } });
const revision = async (name: string): Promise<Revision> =>
  await registry.client.call(OPERATIONS.getRevision, { params: { project: 'demo', revision: name } });

let sequence = 0;
function eventOf(draft: EventDraft): AnyEvent {
  sequence += 1;
  return parseEvent({
    specversion: '1.0',
    id: newId('event', systemClock),
    source: '/skyrun/orchestrator',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    project: 'demo',
    sequence,
    ...draft,
  });
}

const told = async (...drafts: EventDraft[]) => await registry.bus.publish(drafts.map(eventOf));
const aboutRevision = ({ id, name, project, service, serviceId }: Revision) => ({
  project,
  service,
  serviceId,
  revisionId: id,
  revisionName: name,
});
const ready = (of: Revision): EventDraft => ({
  type: 'skyrun.revision.ready.v1',
  subject: `revisions/${of.id}`,
  data: aboutRevision(of),
});
const failed = (of: Revision, reason: string): EventDraft => ({
  type: 'skyrun.revision.failed.v1',
  subject: `revisions/${of.id}`,
  data: { ...aboutRevision(of), reason, message: 'it did not listen' },
});
const instanceEvent = (state: 'ready' | 'draining' | 'stopped', data: Instance): EventDraft => ({
  type: `skyrun.instance.${state}.v1`,
  subject: `instances/${data.id}`,
  data: { ...data, state },
});

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (holds(value)) return value;
    if (tries > 300) throw new Error(`it did not come to that: ${JSON.stringify(value)}`);
    await systemClock.sleep(10);
  }
}

const sync = async (during: () => Promise<void> = async () => undefined) => {
  const { observed } = registry.orchestrator;
  const observer = {
    async getObserved() {
      await during();
      return observed;
    },
  };
  await syncObserved(
    { db: registry.db, clock: systemClock, address: ADDRESS, lingerMs: 0, observer },
    new AbortController().signal,
  );
};

/** Keeps the registry's own sync from ending what only this test knows of. */
function observe(...instances: Instance[]) {
  registry.orchestrator.observed = {
    ...registry.orchestrator.observed,
    instances: [...registry.orchestrator.observed.instances, ...instances],
  };
}

function observeNot(id: string) {
  const { observed } = registry.orchestrator;
  registry.orchestrator.observed = {
    ...observed,
    instances: observed.instances.filter((instance) => instance.id !== id),
  };
}

async function routeOf(service: string, epoch?: { epoch: string; version: number }): Promise<RouteFrame> {
  const frames = registry.client.stream(OPERATIONS.followRoutes, { query: epoch ?? {} });
  for await (const frame of frames) return frame;
  throw new Error(`no frame for ${service}`);
}

it('moves traffic only to what is ready, and keeps it there when the next one fails', async () => {
  await deploy('steps');
  const first = await revision('steps-00001');
  await told(ready(first));
  await until(
    () => get('steps'),
    ({ status }) => status.latestReadyRevision === 'steps-00001',
  );

  await change('steps', 81);
  await told(failed(await revision('steps-00002'), 'ProbeTimeout'));
  const broken = await until(
    () => get('steps'),
    ({ status }) => status.conditions[0]?.status === 'False',
  );
  expect(broken.status).toMatchObject({
    latestReadyRevision: 'steps-00001',
    latestCreatedRevision: 'steps-00002',
    traffic: [{ revisionName: 'steps-00001', percent: 100 }],
  });
  expect(broken.status.conditions[0]?.message).toContain('ProbeTimeout');
  expect((await revision('steps-00002')).conditions[1]).toMatchObject({
    type: 'ContainerHealthy',
    status: 'False',
    reason: 'ProbeTimeout',
    message: 'it did not listen',
  });
  const wants = (await registry.client.call(OPERATIONS.getDesired)).revisions.filter(
    ({ revision: { service } }) => service === 'steps',
  );
  expect(wants.map(({ want, revision: { number } }) => `${number} ${want}`)).toEqual(['1 serving', '2 starting']);

  await change('steps', 82);
  await told(ready(await revision('steps-00003')));
  await until(
    () => get('steps'),
    ({ status }) => status.latestReadyRevision === 'steps-00003',
  );
  await told(ready(await revision('steps-00002')));
  await until(
    () => revision('steps-00002'),
    ({ conditions }) => conditions[0]?.status === 'True',
  );
  expect((await get('steps')).status.latestReadyRevision).toBe('steps-00003');
});

it('takes an event over once, and no late one', async () => {
  await deploy('late');
  const one = instanceOf(await revision('late-00001'), { id: newId('instance', systemClock) });
  const event = eventOf(instanceEvent('ready', one));
  observe(one);
  await registry.bus.publish([event]);
  await until(
    () => get('late'),
    ({ status }) => status.instances.ready === 1,
  );
  observeNot(one.id);
  await told(instanceEvent('stopped', one));
  await until(
    () => get('late'),
    ({ status }) => status.instances.ready === 0,
  );
  await registry.bus.publish([event]);
  await told(instanceEvent('ready', one), instanceEvent('draining', one));
  await systemClock.sleep(200);
  expect((await get('late')).status.instances).toEqual({ ready: 0, starting: 0, draining: 0 });
});

it('catches up by a sync with everything that no event told', async () => {
  await deploy('lost');
  const of = await revision('lost-00001');
  const one = instanceOf(of, { id: newId('instance', systemClock) });
  observe(one);
  registry.orchestrator.observed = {
    ...registry.orchestrator.observed,
    revisions: [{ revisionId: of.id, state: 'ready' }],
  };
  await sync();
  expect((await get('lost')).status).toMatchObject({ latestReadyRevision: 'lost-00001', instances: { ready: 1 } });
  observeNot(one.id);
  await sync();
  expect((await get('lost')).status.instances.ready).toBe(0);
});

it('lets a sync undo nothing that came while the orchestrator was asked', async () => {
  await deploy('between');
  const of = await revision('between-00001');
  const [one, two] = [1, 2].map((port) => instanceOf(of, { id: newId('instance', systemClock), port }));
  if (!one || !two) throw new Error('too few');
  observe(one);
  await told(instanceEvent('ready', one));
  await until(
    () => get('between'),
    ({ status }) => status.instances.ready === 1,
  );
  await sync(async () => {
    // The answer below was given before these two events.
    await told(instanceEvent('draining', one), instanceEvent('ready', two));
    await until(
      () => get('between'),
      ({ status }) => status.instances.draining === 1 && status.instances.ready === 1,
    );
  });
  expect((await get('between')).status.instances).toEqual({ ready: 1, starting: 0, draining: 1 });
  observeNot(one.id);
});

describe('a verdict and an instance that become known at the same time', () => {
  const deps = () => ({ clock: systemClock, address: ADDRESS, lingerMs: 0 });
  const verdictOn = ({ id }: Revision) =>
    registry.db.transaction((tx) => takeVerdict(tx, id, { state: 'ready' }, deps()));
  const servedBy = async (service: string) =>
    (await get(service)).status.traffic.map(({ revisionName }) => revisionName);

  /** A service whose first revision has the traffic, its second revision, and an instance of that. */
  async function second(service: string) {
    await deploy(service);
    const first = await revision(`${service}-00001`);
    observe(instanceOf(first, { id: newId('instance', systemClock) }));
    await verdictOn(first);
    await sync();
    await change(service, 81);
    const of = await revision(`${service}-00002`);
    const instance = instanceOf(of, { id: newId('instance', systemClock), port: 81 });
    observe(instance);
    return { of, instance };
  }

  it.each([
    { name: 'instance-first', begins: 'the instance' },
    { name: 'verdict-first', begins: 'the verdict' },
  ])('move the traffic, when $begins is told first and neither sees the other', async ({ name, begins }) => {
    const { of, instance } = await second(name);
    const take = {
      'the instance': (tx: Transaction) => takeInstance(tx, instance, deps()),
      'the verdict': (tx: Transaction) => takeVerdict(tx, of.id, { state: 'ready' }, deps()),
    };
    const [one, other] =
      begins === 'the instance'
        ? (['the instance', 'the verdict'] as const)
        : (['the verdict', 'the instance'] as const);
    let overtaken: Promise<void> | undefined;
    await registry.db.transaction(async (tx) => {
      await take[one](tx);
      overtaken = registry.db.transaction((own) => take[other](own));
      await systemClock.sleep(200);
    });
    await overtaken;
    expect(await servedBy(name)).toEqual([`${name}-00002`]);
  });
});

it('a sync moves the traffic that waits for an instance which is there', async () => {
  await deploy('waits');
  const first = await revision('waits-00001');
  const one = instanceOf(first, { id: newId('instance', systemClock) });
  observe(one);
  await told(instanceEvent('ready', one), ready(first));
  await until(
    () => get('waits'),
    ({ status }) => status.traffic[0]?.revisionName === 'waits-00001',
  );
  await change('waits', 81);
  const of = await revision('waits-00002');
  const two = instanceOf(of, { id: newId('instance', systemClock), port: 81 });
  observe(two);
  await sync();
  await registry.db.query(
    `update services set latest_ready_id = $1, warming = jsonb_build_array($1::text) where name = 'waits'`,
    [of.id],
  );
  await sync();
  expect((await get('waits')).status.traffic[0]?.revisionName).toBe('waits-00002');
});

it('lists a deleted service’s revision as retired until its instances are gone, and bounded', async () => {
  await deploy('gone');
  const of = await revision('gone-00001');
  const one = instanceOf(of, { id: newId('instance', systemClock) });
  observe(one);
  await told(ready(of), instanceEvent('ready', one));
  await until(
    () => get('gone'),
    ({ status }) => status.instances.ready === 1,
  );
  await registry.client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'gone' } });
  const wanted = async () =>
    (await registry.client.call(OPERATIONS.getDesired)).revisions
      .filter(({ revision: { id } }) => id === of.id)
      .map(({ want }) => want);
  expect(await wanted()).toEqual(['retired']);
  await registry.db.query(`update revisions set retired_at = now() - interval '1 hour' where id = $1`, [of.id]);
  expect(await wanted()).toEqual(['retired']);
  observeNot(one.id);
  await told(instanceEvent('stopped', one));
  await until(wanted, (wants) => wants.length === 0);
});

it('feeds many gateways, resumes them, and shows no empty route after a restart', async () => {
  await deploy('fed');
  const of = await revision('fed-00001');
  const one = instanceOf(of, { id: newId('instance', systemClock), port: 4242 });
  observe(one);
  await told(ready(of), instanceEvent('ready', one));
  await until(
    () => get('fed'),
    ({ status }) => status.instances.ready === 1,
  );
  const portsIn = (frame: RouteFrame) =>
    frame.kind === 'snapshot'
      ? frame.routes.find(({ service }) => service === 'fed')?.targets[0]?.instances.map(({ port }) => port)
      : null;
  const frame = await until(
    () => routeOf('fed'),
    (got) => portsIn(got)?.[0] === 4242,
  );

  const gateways = Array.from({ length: 20 }, () =>
    registry.client.stream(OPERATIONS.followRoutes)[Symbol.asyncIterator](),
  );
  await Promise.all(gateways.map((gateway) => gateway.next()));
  await deploy('fresh');
  const deltas = await Promise.all(
    gateways.map(async (gateway) => {
      for (;;) {
        const { value } = await gateway.next();
        if (value.kind === 'delta') return value;
      }
    }),
  );
  for (const delta of deltas)
    expect(delta.upserts.map(({ service }: { service: string }) => service)).toEqual(['fresh']);
  await Promise.all(gateways.map((gateway) => gateway.return?.()));

  const resumed = await routeOf('fed', { epoch: frame.epoch, version: frame.version });
  expect(resumed).toMatchObject({ kind: 'delta', removes: [], upserts: [{ service: 'fresh' }] });

  await registry.restart();
  const after = await routeOf('fed', { epoch: frame.epoch, version: frame.version });
  expect(after.kind).toBe('snapshot');
  expect(after.epoch).not.toBe(frame.epoch);
  expect(portsIn(after)).toEqual([4242]);

  await registry.client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'fed' } });
  const removed = await until(
    () => routeOf('fed', { epoch: after.epoch, version: after.version }),
    (got) => got.kind === 'delta' && got.removes.length > 0,
  );
  expect(removed).toMatchObject({ removes: ['fed.demo.localhost'] });
});
