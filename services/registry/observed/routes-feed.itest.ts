import { OPERATIONS, type RouteFrame } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { expect, it } from 'vitest';
import { instanceOf } from '../registry.fixture.ts';
import { instanceEvent, observedRegistry, ready, until } from './observed.fixture.ts';

const { registry, deploy, get, revision, told, observe, routeOf } = observedRegistry(async () => ({
  database: await testDatabase('registry'),
  dataDirectory: temporaryDirectory('registry'),
}));

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
    registry().client.stream(OPERATIONS.followRoutes)[Symbol.asyncIterator](),
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

  await registry().restart();
  const after = await routeOf('fed', { epoch: frame.epoch, version: frame.version });
  expect(after.kind).toBe('snapshot');
  expect(after.epoch).not.toBe(frame.epoch);
  expect(portsIn(after)).toEqual([4242]);

  await registry().client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'fed' } });
  const removed = await until(
    () => routeOf('fed', { epoch: after.epoch, version: after.version }),
    (got) => got.kind === 'delta' && got.removes.length > 0,
  );
  expect(removed).toMatchObject({ removes: ['fed.demo.localhost'] });
});
