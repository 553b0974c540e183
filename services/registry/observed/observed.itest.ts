import { OPERATIONS } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { expect, it } from 'vitest';
import { instanceOf } from '../registry.fixture.ts';
import { failed, instanceEvent, observedRegistry, ready, until } from './observed.fixture.ts';

const { registry, deploy, change, get, revision, told, sync, observe, observeNot, eventOf } = observedRegistry(
  async () => ({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  }),
);

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
  const wants = (await registry().client.call(OPERATIONS.getDesired)).revisions.filter(
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
  await registry().bus.publish([event]);
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
  await registry().bus.publish([event]);
  await told(instanceEvent('ready', one), instanceEvent('draining', one));
  await systemClock.sleep(200);
  expect((await get('late')).status.instances).toEqual({ ready: 0, starting: 0, draining: 0 });
});

it('catches up by a sync with everything that no event told', async () => {
  await deploy('lost');
  const of = await revision('lost-00001');
  const one = instanceOf(of, { id: newId('instance', systemClock) });
  observe(one);
  registry().orchestrator.observed = {
    ...registry().orchestrator.observed,
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
  await registry().client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'gone' } });
  const wanted = async () =>
    (await registry().client.call(OPERATIONS.getDesired)).revisions
      .filter(({ revision: { id } }) => id === of.id)
      .map(({ want }) => want);
  expect(await wanted()).toEqual(['retired']);
  await registry().db.query(`update revisions set retired_at = now() - interval '1 hour' where id = $1`, [of.id]);
  expect(await wanted()).toEqual(['retired']);
  observeNot(one.id);
  await told(instanceEvent('stopped', one));
  await until(wanted, (wants) => wants.length === 0);
});
