import { OPERATIONS, Problem, problemDetails, type Service } from '@skyrun/contracts';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dockerEntries, imageOf, layerWith, tarOf } from '../images/archive/image.fixture.ts';
import { startTestRegistry, type TestRegistry } from '../registry.fixture.ts';

let registry: TestRegistry;
const digests = new Map<string, string>();
beforeAll(async () => {
  registry = await startTestRegistry({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  });
  for (const tag of ['v1', 'v2']) await upload('web', tag, tag);
});
afterAll(async () => {
  await registry?.close();
});

async function upload(name: string, tag: string, contents: string) {
  const archive = await tarOf(dockerEntries(imageOf([await layerWith(contents)])));
  const uploaded = await registry.client.call(OPERATIONS.uploadImage, {
    params: { project: 'demo' },
    query: { name, tag },
    stream: (async function* () {
      yield archive;
    })(),
  });
  digests.set(`${name}:${tag}`, uploaded.digest);
}

type Template = { image: string } & Record<string, unknown>;
const create = async (name: string, template: Template = { image: 'web:v1' }, headers: Record<string, string> = {}) =>
  await registry.client.send(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: { name, spec: { template } },
    headers,
  });
const replace = async (service: string, template: Template, headers: Record<string, string> = {}) =>
  await registry.client.call(OPERATIONS.replaceService, {
    params: { project: 'demo', service },
    body: { spec: { template } },
    headers,
  });
const get = async (service: string) =>
  await registry.client.send(OPERATIONS.getService, { params: { project: 'demo', service } });
const revisions = async (service: string) =>
  await registry.client.call(OPERATIONS.listRevisions, { params: { project: 'demo', service } });
const remove = async (service: string, headers: Record<string, string> = {}) =>
  await registry.client.call(OPERATIONS.deleteService, { params: { project: 'demo', service }, headers });

async function eventsOf(service: string) {
  const { rows } = await registry.db.query<{ type: string; data: Record<string, unknown> }>(
    `select event->>'type' as type, event->'data' as data from outbox where event->>'subject' = $1 order by id`,
    [`services/demo/${service}`],
  );
  return rows;
}
const typesOf = async (service: string) =>
  (await eventsOf(service)).map(({ type }) => type.split('.').slice(1, 3).join('.'));

it('writes a service, its first revision and their events together', async () => {
  const { status, headers, body } = await create('first');
  expect(status).toBe(201);
  expect(headers.get('etag')).toBe('"1"');
  expect(headers.get('location')).toBe('/api/v1/projects/demo/services/first');
  expect(body).toMatchObject({
    generation: 1,
    status: { latestCreatedRevision: 'first-00001', observedGeneration: 1 },
  });
  expect(body?.status.latestReadyRevision).toBeUndefined();
  expect((await revisions('first')).items).toMatchObject([
    {
      name: 'first-00001',
      number: 1,
      imageDigest: digests.get('web:v1'),
      conditions: [{ type: 'Ready', status: 'Unknown' }, {}],
    },
  ]);
  expect(await typesOf('first')).toEqual(['service.created', 'revision.created']);
  expect((await get('first')).body).toEqual(body);
});

it('writes nothing at all when a part is refused', async () => {
  await expect(create('half', { image: 'missing' })).rejects.toMatchObject({
    code: 'resource.not_found',
    errors: [{ field: '/spec/template/image' }],
  });
  await expect(get('half')).rejects.toMatchObject({ code: 'resource.not_found' });
  expect(await eventsOf('half')).toEqual([]);
});

it.each<[string, object[], string]>([
  ['shares that do not add up', [{ percent: 50 }, { percent: 40 }], '/spec/traffic'],
  ['a revision of nobody', [{ revisionName: 'a-00001', percent: 100 }], '/spec/traffic/0/revisionName'],
  [
    'a revision and the latest in one',
    [{ revisionName: 'a-00001', latestRevision: true, percent: 100 }],
    '/spec/traffic/0/latestRevision',
  ],
  ['not the latest, and none named', [{ latestRevision: false, percent: 100 }], '/spec/traffic/0/revisionName'],
  ['a tag twice', [{ percent: 100, tag: 'blue' }, { tag: 'blue' }], '/spec/traffic/1/tag'],
  ['a share of nothing', [{ percent: 100 }, { percent: 0 }], '/spec/traffic/1/percent'],
  ['a tag that is no label', [{ percent: 100, tag: 'Blue_1' }], '/spec/traffic/0/tag'],
  ['too much', [{ percent: 101 }], '/spec/traffic/0/percent'],
])('refuses traffic to %s with the field', async (_, traffic, field) => {
  const response = await fetch(`${registry.url}/api/v1/projects/demo/services`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'split', spec: { template: { image: 'web:v1' }, traffic } }),
  });
  expect(response.status).toBe(400);
  const problem = problemDetails.parse(await response.json());
  expect(problem).toMatchObject({ code: 'request.invalid' });
  expect(problem.errors?.map((error) => error.field)).toContain(field);
});

it('refuses a tag that makes the host too long', async () => {
  const name = 'a'.repeat(40);
  await expect(
    registry.client.call(OPERATIONS.createService, {
      params: { project: 'demo' },
      body: { name, spec: { template: { image: 'web:v1' }, traffic: [{ percent: 100, tag: 'b'.repeat(21) }] } },
    }),
  ).rejects.toMatchObject({
    errors: [{ field: '/spec/traffic/0/tag', message: expect.stringContaining('at most 20') }],
  });
});

it.each([
  ['web:v1', 'web:v1'],
  ['web:v2', 'web:v2'],
  ['the digest', 'web:v2'],
  ['the name and the digest', 'web:v1'],
])('pins an image given as %s', async (how, key) => {
  const digest = digests.get(key) ?? '';
  const image = how === 'the digest' ? digest : how.startsWith('the name') ? `web@${digest}` : how;
  const name = `pin-${digest.slice(7, 12)}-${how.length}`.replace(/-(\d)/, '-p$1');
  await create(name, { image });
  expect((await revisions(name)).items[0]?.imageDigest).toBe(digest);
});

it.each(['', 'WEB', 'web:', 'web@sha256:12', '../web'])('refuses %j as an image', async (image) => {
  await expect(create('odd', { image })).rejects.toMatchObject({ code: 'request.invalid' });
});

it('refuses a name that is taken', async () => {
  await create('taken');
  await expect(create('taken')).rejects.toMatchObject({ code: 'resource.already_exists' });
});

it('makes a revision only where a template would run differently', async () => {
  await create('same', { image: 'web:v1', env: [{ name: 'A', value: '1' }] });
  const again = await replace('same', { image: 'web:v1', env: [{ name: 'A', value: '1' }], port: 8080 });
  expect(again.generation).toBe(1);
  const renamed = await replace('same', { image: digests.get('web:v1') ?? '', env: [{ name: 'A', value: '1' }] });
  expect(renamed).toMatchObject({ generation: 2, status: { latestCreatedRevision: 'same-00001' } });
  const changed = await replace('same', { image: 'web:v1', env: [{ name: 'A', value: '2' }] });
  expect(changed).toMatchObject({ generation: 3, status: { latestCreatedRevision: 'same-00002' } });
  expect(await typesOf('same')).toEqual([
    'service.created',
    'revision.created',
    'service.updated',
    'service.updated',
    'revision.created',
  ]);
});

it('makes a revision of the same text where the tag has moved', async () => {
  await upload('moving', 'latest', 'before');
  await create('moved', { image: 'moving' });
  await upload('moving', 'latest', 'after');
  const moved = await replace('moved', { image: 'moving' });
  expect(moved).toMatchObject({ generation: 2, status: { latestCreatedRevision: 'moved-00002' } });
});

it('honours If-Match on a change and on a deletion', async () => {
  await create('match');
  const change = { image: 'web:v2' };
  await expect(replace('match', change, { 'if-match': '"7"' })).rejects.toMatchObject({
    code: 'resource.precondition_failed',
  });
  expect((await replace('match', change, { 'if-match': '"1"' })).generation).toBe(2);
  await expect(remove('match', { 'if-match': '"1"' })).rejects.toMatchObject({ code: 'resource.precondition_failed' });
  await remove('match', { 'if-match': '"2"' });
});

it('lets one of many changes with the same If-Match through', async () => {
  await create('race');
  const results = await Promise.allSettled(
    [1, 2, 3, 4, 5].map((port) => replace('race', { image: 'web:v1', port }, { 'if-match': '"1"' })),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await get('race')).body?.generation).toBe(2);
});

it('frees the name of a deleted service, and never repeats the name of a revision', async () => {
  const { body: before } = await create('reborn');
  await replace('reborn', { image: 'web:v2' });
  await remove('reborn');
  await expect(get('reborn')).rejects.toMatchObject({ code: 'resource.not_found' });
  await expect(revisions('reborn')).rejects.toMatchObject({ code: 'resource.not_found' });
  await expect(remove('reborn')).rejects.toMatchObject({ code: 'resource.not_found' });
  const desired = await registry.client.call(OPERATIONS.getDesired);
  const wants = desired.revisions.filter(({ revision }) => revision.service === 'reborn').map(({ want }) => want);
  expect(wants).toEqual(['retired', 'retired']);
  const { body: after } = await create('reborn');
  expect(after?.id).not.toBe(before?.id);
  expect(after?.status.latestCreatedRevision).toBe('reborn-00003');
  expect((await typesOf('reborn')).filter((type) => type === 'service.deleted')).toHaveLength(1);
});

it('answers a repeated creation with the first answer', async () => {
  const headers = { 'idempotency-key': 'one' };
  const first = await create('idem', { image: 'web:v1' }, headers);
  await replace('idem', { image: 'web:v2' });
  const second = await create('idem', { image: 'web:v1' }, headers);
  expect(second.status).toBe(201);
  expect(second.body).toEqual(first.body);
  await expect(create('idem', { image: 'web:v2' }, headers)).rejects.toMatchObject({
    code: 'request.idempotency_conflict',
  });
  await expect(create('idem', { image: 'web:v1' }, { 'idempotency-key': 'two' })).rejects.toMatchObject({
    code: 'resource.already_exists',
  });
  await expect(
    create('idem', { image: 'web:v1' }, { ...headers, authorization: 'Bearer other' }),
  ).rejects.toMatchObject({ code: 'resource.already_exists' });
  await expect(create('idem', { image: 'web:v1' }, { 'idempotency-key': 'k'.repeat(300) })).rejects.toMatchObject({
    code: 'request.invalid',
  });
});

it('creates once for the same key at the same time', async () => {
  const headers = { 'idempotency-key': 'parallel' };
  const answers = await Promise.all([1, 2, 3, 4].map(() => create('parallel', { image: 'web:v1' }, headers)));
  expect(new Set(answers.map(({ body }) => body?.id)).size).toBe(1);
  expect(await typesOf('parallel')).toEqual(['service.created', 'revision.created']);
});

it('forgets a failed creation, so that its key works afterwards', async () => {
  const headers = { 'idempotency-key': 'retry' };
  await expect(create('retry', { image: 'later:v1' }, headers)).rejects.toBeInstanceOf(Problem);
  await upload('later', 'v1', 'later');
  expect((await create('retry', { image: 'later:v1' }, headers)).status).toBe(201);
});

it('pages through services and revisions', async () => {
  const list = (query = {}) => registry.client.call(OPERATIONS.listServices, { params: { project: 'demo' }, query });
  const all = await list({ limit: 500 });
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Service[]; nextCursor: string | null } = await list({
      limit: 3,
      ...(cursor === null ? {} : { cursor }),
    });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(names).toEqual(all.items.map(({ name }) => name));
  expect(names).toEqual([...names].sort());
  await create('history');
  for (const port of [1, 2, 3]) await replace('history', { image: 'web:v1', port });
  const page = (query = {}) =>
    registry.client.call(OPERATIONS.listRevisions, { params: { project: 'demo', service: 'history' }, query });
  const first = await page({ limit: 3 });
  const second = await page({ limit: 3, cursor: first.nextCursor });
  expect([...first.items, ...second.items].map(({ number }) => number)).toEqual([4, 3, 2, 1]);
  await expect(list({ cursor: first.nextCursor })).rejects.toMatchObject({ code: 'request.invalid' });
});

it('keeps projects apart', async () => {
  await create('apart');
  const params = { project: 'other', service: 'apart' };
  await expect(registry.client.call(OPERATIONS.getService, { params })).rejects.toMatchObject({
    code: 'resource.not_found',
  });
  const elsewhere = registry.client.call(OPERATIONS.createService, {
    params: { project: 'other' },
    body: { name: 'apart', spec: { template: { image: 'web:v1' } } },
  });
  await expect(elsewhere).rejects.toMatchObject({ code: 'resource.not_found' });
  const revision = (project: string) =>
    registry.client.call(OPERATIONS.getRevision, { params: { project, revision: 'apart-00001' } });
  expect((await revision('demo')).name).toBe('apart-00001');
  await expect(revision('other')).rejects.toMatchObject({ code: 'resource.not_found' });
});
