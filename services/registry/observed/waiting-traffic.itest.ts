import type { Revision } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import type { Transaction } from '@skyrun/postgres';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { describe, expect, it } from 'vitest';
import { instanceOf } from '../registry.fixture.ts';
import { ADDRESS } from '../services/state.fixture.ts';
import { instanceEvent, observedRegistry, ready, until } from './observed.fixture.ts';
import { takeInstance, takeVerdict } from './take-over.ts';

const { registry, deploy, change, get, revision, told, sync, observe } = observedRegistry(async () => ({
  database: await testDatabase('registry'),
  dataDirectory: temporaryDirectory('registry'),
}));

describe('a verdict and an instance that become known at the same time', () => {
  const deps = () => ({ clock: systemClock, address: ADDRESS, lingerMs: 0 });
  const verdictOn = ({ id }: Revision) =>
    registry().db.transaction((tx) => takeVerdict(tx, id, { state: 'ready' }, deps()));
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
    await registry().db.transaction(async (tx) => {
      await take[one](tx);
      overtaken = registry().db.transaction((own) => take[other](own));
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
  await registry().db.query(
    `update services set latest_ready_id = $1, warming = jsonb_build_array($1::text) where name = 'waits'`,
    [of.id],
  );
  await sync();
  expect((await get('waits')).status.traffic[0]?.revisionName).toBe('waits-00002');
});
