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
import { afterAll, beforeAll } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';
import { ADDRESS } from '../services/state.fixture.ts';
import { syncObserved } from './sync-observed.ts';

const aboutRevision = ({ id, name, project, service, serviceId }: Revision) => ({
  project,
  service,
  serviceId,
  revisionId: id,
  revisionName: name,
});
export const ready = (of: Revision): EventDraft => ({
  type: 'skyrun.revision.ready.v1',
  subject: `revisions/${of.id}`,
  data: aboutRevision(of),
});
export const failed = (of: Revision, reason: string): EventDraft => ({
  type: 'skyrun.revision.failed.v1',
  subject: `revisions/${of.id}`,
  data: { ...aboutRevision(of), reason, message: 'it did not listen' },
});
export const instanceEvent = (state: 'ready' | 'draining' | 'stopped', data: Instance): EventDraft => ({
  type: `skyrun.instance.${state}.v1`,
  subject: `instances/${data.id}`,
  data: { ...data, state },
});

export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (holds(value)) return value;
    if (tries > 3_000) throw new Error(`it did not come to that: ${JSON.stringify(value)}`);
    await systemClock.sleep(10);
  }
}

type RegistryPlace = Parameters<typeof startTestRegistry>[0];

/** A registry with an image, and words for what an orchestrator tells it; for the tests of one file. */
export function observedRegistry(place: () => Promise<RegistryPlace>) {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startTestRegistry(await place());
    await uploadAnImage(registry, 'demo');
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
  return {
    /** Known from the first test on. */
    registry: () => registry,
    deploy,
    change,
    get,
    revision,
    told,
    sync,
    observe,
    observeNot,
    routeOf,
    eventOf,
  };
}
