import { gzipSync } from 'node:zlib';
import { engineReference, OPERATIONS, type RouteFrame } from '@skyrun/contracts';
import { newId, systemClock } from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf, dockerEntries, imageOf, layerWith, tarOf } from './images/archive/image.fixture.ts';
import { instanceOf, startTestRegistry, type TestRegistry } from './registry.fixture.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  });
});
afterAll(async () => {
  await registry?.close();
});

async function upload(archive: Buffer, query = {}) {
  return await registry.client.call(OPERATIONS.uploadImage, {
    params: { project: 'demo' },
    query,
    stream: (async function* () {
      yield archive;
    })(),
  });
}

async function entriesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    found.set(entry.header.name, Buffer.concat(chunks));
  }
  return found;
}

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (holds(value) || tries > 1_200) return value;
    await systemClock.sleep(25);
  }
}

it('takes an image, a service and the orchestrator’s word from upload to route', async () => {
  const image = imageOf([await layerWith('hello'), await layerWith('more')]);
  const uploaded = await upload(gzipSync(await tarOf(dockerEntries(image))));
  const digest = digestOf(image.config);
  const reference = engineReference({ project: 'demo', name: 'web', digest });
  expect(uploaded).toMatchObject({ name: 'web', tag: 'v1', digest, layers: 2, exposedPorts: [8080], user: '1000' });
  expect(registry.orchestrator.imported).toMatchObject([{ reference, digest }]);
  expect(await registry.spooled()).toEqual([]);

  const imported = await entriesOf(registry.orchestrator.lastArchive());
  const manifest = JSON.parse(imported.get('manifest.json')?.toString() ?? '');
  expect(manifest).toHaveLength(1);
  expect(manifest[0].RepoTags).toEqual([reference]);
  expect(imported.get(manifest[0].Config)?.toString()).toBe(image.config);
  expect(manifest[0].Layers.map((name: string) => imported.get(name))).toEqual(image.layers);
  expect(imported.size).toBe(4);

  const frames = registry.client.stream(OPERATIONS.followRoutes, {})[Symbol.asyncIterator]();
  const nextChange = async (): Promise<RouteFrame> => {
    for (;;) {
      const { value } = await frames.next();
      if (value.kind !== 'heartbeat') return value;
    }
  };
  expect(await nextChange()).toMatchObject({ kind: 'snapshot', routes: [] });

  const service = await registry.client.call(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: { name: 'hello', spec: { template: { image: 'web:v1' } } },
  });
  expect(service.status.url).toBe('http://hello.demo.localhost:8080');
  expect(service.status.conditions[0]).toMatchObject({ type: 'Ready', status: 'Unknown' });
  expect(await nextChange()).toMatchObject({
    kind: 'delta',
    upserts: [{ host: 'hello.demo.localhost', targets: [{ revisionName: 'hello-00001', instances: [] }] }],
  });

  const desired = await registry.client.send(OPERATIONS.getDesired);
  expect(desired.body?.revisions).toMatchObject([{ want: 'starting', revision: { imageReference: reference } }]);
  const unchanged = await registry.client.send(OPERATIONS.getDesired, {
    headers: { 'if-none-match': desired.headers.get('etag') ?? '' },
  });
  expect(unchanged.status).toBe(304);

  const revision = desired.body?.revisions[0]?.revision;
  if (!revision) throw new Error('no revision');
  const instance = instanceOf(revision, { id: newId('instance', systemClock) });
  registry.orchestrator.observed = {
    instances: [instance],
    revisions: [{ revisionId: revision.id, state: 'ready' }],
  };
  const ready = await until(
    () => registry.client.call(OPERATIONS.getService, { params: { project: 'demo', service: 'hello' } }),
    ({ status }) => status.instances.ready === 1 && status.latestReadyRevision !== undefined,
  );
  expect(ready.status).toMatchObject({ latestReadyRevision: 'hello-00001', traffic: [{ percent: 100 }] });
  expect(ready.status.conditions.every(({ status }) => status === 'True')).toBe(true);
  const frame = await nextChange();
  expect(frame).toMatchObject({
    upserts: [{ targets: [{ instances: [{ id: instance.id, port: 12345, state: 'ready' }] }] }],
  });
  const after = await registry.client.call(OPERATIONS.getDesired);
  expect(after.revisions).toMatchObject([{ want: 'serving' }]);
  await frames.return?.();
}, 60_000);
