import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkProber } from '../../probes/probe.ts';
import { desiredOf } from '../../testing/desired.ts';
import { startHarness } from '../../testing/harness.ts';
import { loadTestImage, type TestImage } from '../../testing/image.ts';
import { runtimeConformance } from '../conformance/conformance.ts';
import type { Runtime } from '../runtime.ts';
import { createPrivateSwarm, namespacesRefused, type PrivateSwarm } from './private-swarm.ts';
import { createSwarmRuntime } from './swarm-runtime.ts';

const refused = await namespacesRefused();
if (refused !== null) console.warn(`Swarm is not tested: this machine refuses namespaces: ${refused}`);

describe.skipIf(refused !== null)('on two engines', () => {
  let swarm: PrivateSwarm;
  let runtime: Runtime;
  let image: TestImage;

  beforeAll(async () => {
    swarm = await createPrivateSwarm();
    runtime = createSwarmRuntime({
      managerAddress: swarm.manager.socketPath,
      engineAddresses: [`unix://${swarm.worker.socketPath}`],
      installation: `t${newId('instance', systemClock).slice(-8)}`,
      networkPool: '10.216.0.0/16',
      networkPrefix: 26,
      pidsLimit: 256,
      clock: systemClock,
      logger: silentLogger,
    });
    image = await loadTestImage(runtime);
  }, 180_000);

  afterAll(() => swarm.remove(), 60_000);

  runtimeConformance('swarm', () => ({ runtime, clock: systemClock, image: image.reference }));

  test('an engine that is lost has its instances replaced on the other, and only those', async () => {
    const database = await testDatabase('orchestrator');
    const harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber });
    const template = { resources: { memoryMib: 128 }, scaling: { minScale: 4 } };
    harness.registry.set(desiredOf({ image: image.reference, template }));
    const ready = async () => {
      const { items } = await harness.instances('demo', 'web');
      return items.filter(({ state }) => state === 'ready');
    };
    await harness.until('four on two engines', async () => (await ready()).length === 4);
    const before = await ready();
    const lost = before.filter(({ address }) => address === swarm.worker.address).map(({ id }) => id);
    // Swarm's own placement spreads them.
    expect(lost).toHaveLength(2);
    await swarm.worker.lose();
    const after = await harness.until('four on the other', async () => {
      const items = await ready();
      return items.length === 4 && items.every(({ address }) => address === swarm.manager.address) && items;
    });
    const kept = after.filter(({ id }) => before.some((each) => each.id === id)).map(({ id }) => id);
    expect(kept.toSorted()).toEqual(
      before
        .map(({ id }) => id)
        .filter((id) => !lost.includes(id))
        .toSorted(),
    );
    const failed = harness.events.flatMap((event) =>
      event.type === 'skyrun.instance.failed.v1' ? [`${event.data.id} ${event.data.reason}`] : [],
    );
    expect(failed.toSorted()).toEqual(lost.map((id) => `${id} ContainerLost`).toSorted());
    await harness.stop();
    await database.drop();
  }, 120_000);
});
