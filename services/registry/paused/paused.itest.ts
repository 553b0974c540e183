import { type EventDraft, OPERATIONS, parseEvent, type RouteFrame } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  });
  for (const project of ['demo', 'other']) {
    await uploadAnImage(registry, project);
    await registry.client.call(OPERATIONS.createService, {
      params: { project },
      body: { name: 'web', spec: { template: { image: 'web:v1' } } },
    });
  }
});
afterAll(async () => {
  await registry?.close();
});

let sequence = 0;
async function told(type: 'skyrun.project.capped.v1' | 'skyrun.project.uncapped.v1', id = newId('event', systemClock)) {
  sequence += 1;
  const draft: EventDraft = {
    type,
    subject: 'projects/demo',
    project: 'demo',
    data: {
      project: 'demo',
      budgetId: 'bdg_01890000-0000-7000-8000-000000000001',
      reason: '5.01 USD of 5.00 are spent',
    },
  };
  const event = { specversion: '1.0', id, source: '/skyrun/billing', time: '2026-01-01T00:00:00.000Z', sequence };
  await registry.bus.publish([parseEvent({ ...event, datacontenttype: 'application/json', ...draft })]);
}

const blocked = async () => {
  for await (const frame of registry.client.stream(OPERATIONS.followRoutes, { query: {} })) {
    const routes = (frame as Extract<RouteFrame, { kind: 'snapshot' }>).routes;
    return Object.fromEntries(
      routes.map(({ project, blocked: reason, targets }) => [project, reason ?? targets.length]),
    );
  }
  throw new Error('no frame');
};
const suspended = async () => {
  const { revisions } = await registry.client.call(OPERATIONS.getDesired, {});
  return revisions.filter((entry) => entry.suspended).map(({ revision }) => `${revision.project}/${revision.service}`);
};
const conditionOf = async (project: string) => {
  const service = await registry.client.call(OPERATIONS.getService, { params: { project, service: 'web' } });
  return service.status.conditions.find(({ type }) => type === 'Ready');
};

test('a capped project is paused alone, and only while the cap holds', async () => {
  await expect.poll(blocked).toEqual({ demo: 1, other: 1 });
  await told('skyrun.project.capped.v1');
  await expect.poll(blocked).toEqual({ demo: 'spending_cap', other: 1 });
  expect(await suspended()).toEqual(['demo/web']);
  expect(await conditionOf('demo')).toMatchObject({
    status: 'False',
    reason: 'ProjectPaused',
    message: expect.stringContaining('5.01 USD of 5.00 are spent'),
  });
  expect((await conditionOf('other'))?.reason).not.toBe('ProjectPaused');

  await registry.restart();
  await expect.poll(blocked).toEqual({ demo: 'spending_cap', other: 1 });

  const id = newId('event', systemClock);
  await told('skyrun.project.uncapped.v1', id);
  await expect.poll(blocked).toEqual({ demo: 1, other: 1 });
  expect(await suspended()).toEqual([]);
  expect((await conditionOf('demo'))?.reason).not.toBe('ProjectPaused');
});
