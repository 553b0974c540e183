import { OPERATIONS } from '@skyrun/contracts';
import { startDns, type TestDns, temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';
import { watched } from './watching.fixture.ts';

let registry: TestRegistry;
let dns: TestDns;
beforeAll(async () => {
  dns = await startDns();
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    { SKYRUN_DNS_RESOLVER: dns.server },
  );
  await uploadAnImage(registry, 'demo');
  const params = { project: 'demo' };
  for (const name of ['shop', 'other']) {
    const body = { name, spec: { template: { image: 'web:v1' } } };
    await registry.client.call(OPERATIONS.createService, { params, body });
  }
});
afterAll(async () => {
  await registry?.close();
  await dns?.close();
});

interface Shown {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly message?: string }[] };
  readonly [key: string]: unknown;
}
const API = '/kubernetes/apis/serving.knative.dev/v1beta1';
const headers = { authorization: 'Bearer tester', 'content-type': 'application/json' };
async function call(method: string, path: string, body?: unknown, more: Record<string, string> = {}) {
  const response = await fetch(`${registry.url}${API}/namespaces/demo/domainmappings${path}`, {
    method,
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Shown };
}
const mapping = (name: string, service: string, metadata: object = {}) => ({
  apiVersion: 'serving.knative.dev/v1beta1',
  kind: 'DomainMapping',
  metadata: { name, namespace: 'demo', ...metadata },
  spec: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: service } },
});
const statusOf = ({ status }: Shown, type: string) => status.conditions.find((condition) => condition.type === type);

const events = (signal: AbortSignal) =>
  watched<Shown>(`${registry.url}${API}/namespaces/demo/domainmappings?watch=true`, signal);

it('is found by discovery beside the other version of the group', async () => {
  const get = async (path: string) => {
    const response = await fetch(`${registry.url}/kubernetes${path}`, { headers });
    return (await response.json()) as object;
  };
  expect(await get('/apis/serving.knative.dev')).toMatchObject({
    versions: [{ version: 'v1' }, { version: 'v1beta1' }],
    preferredVersion: { version: 'v1' },
  });
  expect(await get('/apis/serving.knative.dev/v1beta1')).toMatchObject({
    groupVersion: 'serving.knative.dev/v1beta1',
    resources: [{ name: 'domainmappings', kind: 'DomainMapping', namespaced: true }],
  });
  expect(await get('/openapi/v3/apis/serving.knative.dev/v1beta1')).toMatchObject({
    components: {
      schemas: {
        'dev.knative.serving.v1beta1.DomainMapping': {
          properties: { spec: { properties: { ref: { properties: { name: { type: 'string' } } } } } },
        },
      },
    },
  });
});

it('a mapping is claimed, says what proves it, becomes ready with the proof, and is watched all the way', async () => {
  const stopped = new AbortController();
  const watch = events(stopped.signal);
  const tried = await call('POST', '?dryRun=All', mapping('www.example.com', 'shop'));
  expect([tried.status, (await call('GET', '/www.example.com')).status]).toEqual([201, 404]);
  const created = await call('POST', '', mapping('www.example.com', 'shop', { labels: { a: 'b' } }));
  expect(created).toMatchObject({
    status: 201,
    body: {
      apiVersion: 'serving.knative.dev/v1beta1',
      kind: 'DomainMapping',
      metadata: { name: 'www.example.com', namespace: 'demo', generation: 1 },
      spec: { ref: { kind: 'Service', name: 'shop' } },
      status: { url: expect.stringContaining('www.example.com') },
    },
  });
  expect(created.headers.get('warning')).toContain('metadata.labels');
  expect((await watch.next()).value).toMatchObject({
    type: 'ADDED',
    object: { metadata: { name: 'www.example.com' } },
  });
  expect(statusOf(created.body, 'Ready')).toMatchObject({ status: 'Unknown' });
  const [, record = '', value = ''] = /TXT (\S+) (\S+),/.exec(statusOf(created.body, 'Ready')?.message ?? '') ?? [];
  dns.set(record, { txt: [value] });
  const params = { project: 'demo', domain: 'www.example.com' };
  await expect
    .poll(async () => (await registry.client.call(OPERATIONS.verifyDomain, { params })).state)
    .toBe('verified');
  for (;;) {
    const { value: event } = await watch.next();
    expect(event?.type).toBe('MODIFIED');
    if (event === undefined || statusOf(event.object, 'Ready')?.message === undefined) break;
  }
  const ready = (await call('GET', '/www.example.com')).body;
  for (const type of ['Ready', 'DomainClaimed', 'ReferenceResolved'])
    expect(statusOf(ready, type)).toMatchObject({ status: 'True' });
  expect(await call('GET', '')).toMatchObject({ body: { kind: 'DomainMappingList', items: [{}] } });
  const all = await fetch(`${registry.url}${API}/domainmappings`, { headers });
  expect(await all.json()).toMatchObject({ items: [{ metadata: { name: 'www.example.com' } }] });

  const precondition = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
  expect(await call('DELETE', '/www.example.com', precondition)).toMatchObject({ status: 409 });
  expect(await call('DELETE', '/www.example.com?dryRun=All')).toMatchObject({ status: 200 });
  expect(await call('DELETE', '/www.example.com')).toMatchObject({ status: 200, body: { status: 'Success' } });
  // A look at its record that came between the two changes it as well.
  let last = await watch.next();
  while (last.value?.type === 'MODIFIED') last = await watch.next();
  expect(last.value).toMatchObject({ type: 'DELETED' });
  expect(await call('DELETE', '/www.example.com')).toMatchObject({ status: 404 });
  const again = await call('POST', '', mapping('www.example.com', 'shop'));
  expect(again.body.metadata.uid).not.toBe(ready.metadata.uid);
  stopped.abort();
});

it('applying the same changes nothing; another service, name or kind is refused with the field', async () => {
  await call('POST', '', mapping('same.example.com', 'shop'));
  const before = (await call('GET', '/same.example.com')).body;
  expect(await call('POST', '', mapping('same.example.com', 'shop'))).toMatchObject({
    status: 409,
    body: { reason: 'AlreadyExists' },
  });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const annotated = { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } };
  expect(await call('PATCH', '/same.example.com', annotated, merge)).toMatchObject({ status: 200 });
  expect(await call('PUT', '/same.example.com', before)).toMatchObject({ status: 200 });
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  const applied = await call('PATCH', '/same.example.com', mapping('same.example.com', 'shop'), apply);
  expect(applied).toMatchObject({ status: 200, body: { metadata: before.metadata } });
  expect(await call('PATCH', '/new.example.com', mapping('new.example.com', 'shop'), apply)).toMatchObject({
    status: 201,
  });
  const moved = await call('PATCH', '/same.example.com', { spec: { ref: { name: 'other' } } }, merge);
  expect(moved).toMatchObject({ status: 422, body: { details: { causes: [{ field: 'spec.ref.name' }] } } });
  for (const [wrong, field] of [
    [mapping('localhost', 'shop'), 'metadata.name'],
    [mapping('none.example.com', 'nobody'), 'service'],
    [{ ...mapping('x.example.com', 'shop'), spec: { ref: { kind: 'Deployment', name: 'shop' } } }, 'spec.ref.kind'],
    [{ ...mapping('x.example.com', 'shop'), spec: { ref: { name: 'shop', namespace: 'b' } } }, 'spec.ref.namespace'],
  ] as const) {
    const refused = await call('POST', '', wrong);
    expect([refused.status, refused.body['details']]).toEqual([
      422,
      expect.objectContaining({ causes: [expect.objectContaining({ field })] }),
    ]);
  }
  expect(await call('POST', '', { ...mapping('x.example.com', 'shop'), kind: 'Service' })).toMatchObject({
    status: 400,
  });
});
