import { OPERATIONS } from '@skyrun/contracts';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';
import { watched } from './watching.fixture.ts';

/** The calls that `kn service create/update/list/describe/delete` makes (knative/client, pkg/serving/v1/client.go), and what they rely on. */
let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    { SKYRUN_KUBERNETES_KEPT_CHANGES: '10', SKYRUN_KUBERNETES_BOOKMARK_SECONDS: '1' },
  );
  await uploadAnImage(registry, 'demo');
});
afterAll(async () => {
  await registry?.close();
});

interface Shown {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly generation: number;
    readonly labels?: object;
    readonly continue?: string;
  };
  readonly spec: { readonly template: { readonly spec: object } };
  readonly [key: string]: unknown;
}
const BASE = '/kubernetes/apis/serving.knative.dev/v1/namespaces/demo';
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${registry.url}${BASE}${path}`, {
    method,
    headers: { authorization: 'Bearer tester', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Shown };
}
const knService = (name: string, env: string) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name, namespace: 'demo', creationTimestamp: null },
  spec: {
    template: {
      metadata: {
        annotations: { 'client.knative.dev/user-image': 'web:v1', 'client.knative.dev/updateTimestamp': env },
        creationTimestamp: null,
      },
      spec: { containers: [{ image: 'web:v1', name: '', env: [{ name: 'A', value: env }], resources: {} }] },
    },
  },
  status: {},
});

const events = (query: string, signal: AbortSignal) =>
  watched<Shown>(`${registry.url}${BASE}/services?watch=true&${query}`, signal);

it('kn service create, update, list, revision list, delete', async () => {
  expect(await call('GET', '/services/hello')).toMatchObject({
    status: 404,
    body: {
      kind: 'Status',
      reason: 'NotFound',
      details: { name: 'hello', kind: 'services', group: 'serving.knative.dev' },
    },
  });
  const created = await call('POST', '/services', knService('hello', '1'));
  expect(created).toMatchObject({
    status: 201,
    body: { metadata: { generation: 1 }, status: { observedGeneration: 1, latestCreatedRevisionName: 'hello-00001' } },
  });
  expect(await call('POST', '/services', knService('hello', '1'))).toMatchObject({
    status: 409,
    body: { reason: 'AlreadyExists' },
  });
  const stopped = new AbortController();
  const watch = events('fieldSelector=metadata.name%3Dhello', stopped.signal);
  expect((await watch.next()).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'hello' } } });

  const live = (await call('GET', '/services/hello')).body;
  const changed = { ...live, spec: knService('hello', '2').spec };
  expect(await call('PUT', '/services/hello', changed)).toMatchObject({
    status: 200,
    body: { metadata: { generation: 2 } },
  });
  expect((await watch.next()).value).toMatchObject({ type: 'MODIFIED', object: { metadata: { generation: 2 } } });
  expect(await call('PUT', '/services/hello', changed)).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
  expect(await call('PUT', '/services/hello', knService('hello', '3'))).toMatchObject({ status: 422 });

  expect(await call('GET', '/services')).toMatchObject({ body: { kind: 'ServiceList', items: [{}] } });
  const revisions = await call('GET', '/revisions?labelSelector=serving.knative.dev%2Fservice%3Dhello');
  expect(revisions.body['items']).toHaveLength(2);
  expect(await call('GET', '/routes/hello')).toMatchObject({ status: 200, body: { kind: 'Route' } });
  expect(await call('GET', '/configurations/hello')).toMatchObject({ status: 200, body: { kind: 'Configuration' } });
  expect(await call('DELETE', '/revisions/hello-00001')).toMatchObject({ status: 405 });

  const deleted = await call('DELETE', '/services/hello', { kind: 'DeleteOptions', propagationPolicy: 'Foreground' });
  expect(deleted).toMatchObject({ status: 200, body: { status: 'Success' } });
  expect((await watch.next()).value).toMatchObject({ type: 'DELETED' });
  stopped.abort();
});

it('checks without changing anything, and patches with a precondition', async () => {
  const dry = await call('POST', '/services?dryRun=All', knService('dry', '1'));
  expect(dry.status).toBe(201);
  expect((await call('GET', '/services/dry')).status).toBe(404);
  await call('POST', '/services', knService('dry', '1'));
  const merge = { 'content-type': 'application/merge-patch+json' };
  const labelled = await call('PATCH', '/services/dry', { metadata: { labels: { team: 'a' } } }, merge);
  expect(labelled.body.metadata).toMatchObject({ labels: { team: 'a' }, generation: 1 });
  const stale = { metadata: { resourceVersion: '1', labels: { team: 'b' } } };
  expect(await call('PATCH', '/services/dry', stale, merge)).toMatchObject({ status: 409 });
  expect(
    await call('PATCH', '/services/dry', {}, { 'content-type': 'application/strategic-merge-patch+json' }),
  ).toMatchObject({ status: 415, body: { kind: 'Status' } });
});

it('refuses and prunes unknown fields as it was asked to', async () => {
  const body = { ...knService('odd', '1'), spec: { ...knService('odd', '1').spec, unknownField: 1 } };
  expect(await call('POST', '/services?fieldValidation=Strict', body)).toMatchObject({ status: 400 });
  const warned = await call('POST', '/services?fieldValidation=Warn&dryRun=All', body);
  expect(warned.status).toBe(201);
  expect(warned.headers.get('warning')).toContain('unknown field');
  const volumes = knService('odd', '1');
  Object.assign(volumes.spec.template.spec, { volumes: [] });
  expect(await call('POST', '/services?fieldValidation=Ignore', volumes)).toMatchObject({
    status: 422,
    body: { details: { causes: [{ field: 'spec.template.spec.volumes' }] } },
  });
});

it('resumes a watch from a version, sends bookmarks, and answers 410 for versions that are forgotten', async () => {
  await call('POST', '/services', knService('busy', '1'));
  const { resourceVersion } = (await call('GET', '/services/busy')).body.metadata;
  const merge = { 'content-type': 'application/merge-patch+json' };
  await call('PATCH', '/services/busy', { metadata: { labels: { n: '0' } } }, merge);
  const stopped = new AbortController();
  const watch = events(`resourceVersion=${resourceVersion}&allowWatchBookmarks=true`, stopped.signal);
  expect((await watch.next()).value).toMatchObject({ type: 'MODIFIED', object: { metadata: { labels: { n: '0' } } } });
  expect((await watch.next()).value).toMatchObject({ type: 'BOOKMARK' });
  stopped.abort();
  for (let n = 1; n <= 25; n += 1) {
    await call('PATCH', '/services/busy', { metadata: { labels: { n: String(n) } } }, merge);
  }
  const gone = await call('GET', `/services?watch=true&resourceVersion=${resourceVersion}`);
  expect(gone).toMatchObject({ status: 410, body: { kind: 'Status', reason: 'Expired' } });
});

it('pages with a limit, and shows a table', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) await call('POST', '/services', knService(name, '1'));
  const first = (await call('GET', '/services?limit=2')).body;
  expect(first['items']).toHaveLength(2);
  const rest = await call('GET', `/services?continue=${first.metadata.continue}`);
  expect(rest.body['items']).not.toHaveLength(0);
  const table = await call('GET', '/services', undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  expect(table.body).toMatchObject({
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'URL' }, {}, {}, {}, {}, {}, {}],
  });
});

it('applying a file leaves what it has no words for: a service for members stays for members', async () => {
  expect((await call('POST', '/services', knService('closed', '1'))).status).toBe(201);
  const params = { project: 'demo', service: 'closed' };
  const { spec } = await registry.client.call(OPERATIONS.getService, { params });
  const policy = { invoker: 'members' as const };
  await registry.client.call(OPERATIONS.replaceService, { params, body: { spec: { ...spec, policy } } });
  const { body } = await call('GET', '/services/closed');
  const next = { ...knService('closed', '2'), metadata: { ...knService('closed', '2').metadata, ...body.metadata } };
  expect((await call('PUT', '/services/closed', next)).status).toBe(200);
  const after = await registry.client.call(OPERATIONS.getService, { params });
  expect(after.spec.policy?.invoker).toBe('members');
  expect(after.spec.template.env).toEqual([{ name: 'A', value: '2' }]);
});

it('an annotation of a service says what Knative has no field for, and shows it', async () => {
  const asked = (policy: string) => {
    const manifest = knService('guarded', '1');
    return {
      ...manifest,
      metadata: { ...manifest.metadata, annotations: { team: 'blue', 'skyrun.dev/policy': policy } },
    };
  };
  const refused = await call('POST', '/services', asked('{"invoker":"nobody"}'));
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('invoker')]);
  expect((await call('POST', '/services', asked('{"invoker":"members"}'))).status).toBe(201);
  const params = { project: 'demo', service: 'guarded' };
  expect((await registry.client.call(OPERATIONS.getService, { params })).spec.policy?.invoker).toBe('members');
  const { body } = await call('GET', '/services/guarded');
  expect(body.metadata).toMatchObject({
    annotations: { team: 'blue', 'skyrun.dev/policy': expect.stringContaining('"members"') },
  });
  const open = { ...body, metadata: { ...body.metadata, annotations: { team: 'blue', 'skyrun.dev/policy': '{}' } } };
  expect((await call('PUT', '/services/guarded', open)).status).toBe(200);
  expect((await registry.client.call(OPERATIONS.getService, { params })).spec.policy?.invoker).toBe('public');
});
