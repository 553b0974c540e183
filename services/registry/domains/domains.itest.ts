import { type Domain, OPERATIONS, type Route } from '@skyrun/contracts';
import { startDns, type TestDns, temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';

let registry: TestRegistry;
let dns: TestDns;
const MOST_DOMAINS = 12;
const within = { timeout: 60_000, interval: 200 };

beforeAll(async () => {
  dns = await startDns();
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    { SKYRUN_DNS_RESOLVER: dns.server, SKYRUN_PROJECT_DOMAINS: String(MOST_DOMAINS) },
  );
  for (const project of ['demo', 'other', 'crowded']) {
    await uploadAnImage(registry, project);
    await deploy(project, 'hello');
  }
});
afterAll(async () => {
  await registry?.close();
  await dns?.close();
});

const deploy = (project: string, name: string) =>
  registry.client.call(OPERATIONS.createService, {
    params: { project },
    body: { name, spec: { template: { image: 'web:v1' } } },
  });
const add = (name: string, project = 'demo', service = 'hello') =>
  registry.client.call(OPERATIONS.addDomain, { params: { project }, body: { name, service } });
/** Asks until the answer is no repetition of the last one. */
const verify = async (domain: string, project = 'demo', fits: (found: Domain) => boolean = () => true) =>
  await vi.waitFor(async () => {
    const found = await registry.client.call(OPERATIONS.verifyDomain, { params: { project, domain } });
    expect(found.checkedAt).not.toBeNull();
    expect(fits(found), found.message).toBe(true);
    return found;
  }, within);
const get = (domain: string, project = 'demo') =>
  registry.client.call(OPERATIONS.getDomain, { params: { project, domain } });
const remove = (domain: string, project = 'demo') =>
  registry.client.call(OPERATIONS.removeDomain, { params: { project, domain } });
const prove = (domain: Domain) => {
  const [txt] = domain.proofs;
  if (txt === undefined) throw new Error('nothing proves it');
  dns.set(txt.name, { txt: [txt.value] });
};

async function routes(): Promise<Route[]> {
  const stop = new AbortController();
  try {
    for await (const frame of registry.client.stream(OPERATIONS.followRoutes, { query: {}, signal: stop.signal })) {
      if (frame.kind === 'snapshot') return frame.routes;
    }
  } finally {
    stop.abort();
  }
  throw new Error('no snapshot came');
}
const projectAt = async (host: string) => (await routes()).find((route) => route.host === host)?.project;
async function eventTypes(subject: string): Promise<string[]> {
  const { rows } = await registry.db.query<{ type: string }>(
    `select event->>'type' as type from outbox where event->>'subject' = $1 order by id`,
    [subject],
  );
  return rows.map(({ type }) => type);
}

it('leads a domain to its service from the moment that its record is found, and no sooner', async () => {
  const added = await add('www.example.com');
  expect(added).toMatchObject({ state: 'pending', reason: 'not_checked', url: 'http://www.example.com:8080' });
  const unproved = await verify('www.example.com', 'demo', ({ reason }) => reason === 'no_record');
  expect(unproved.message).toContain('_skyrun-challenge.www.example.com');
  expect(await projectAt('www.example.com')).toBeUndefined();

  prove(added);
  await verify('www.example.com', 'demo', ({ state }) => state === 'verified');
  await vi.waitFor(async () => expect(await projectAt('www.example.com')).toBe('demo'), within);

  await remove('www.example.com');
  await vi.waitFor(async () => expect(await projectAt('www.example.com')).toBeUndefined(), within);
  await expect(get('www.example.com')).rejects.toMatchObject({ code: 'resource.not_found' });
});

it('finds a record by itself, and takes an alias of the service for a proof as well', async () => {
  await add('shop.example.com');
  dns.set('shop.example.com', { cname: 'hello.demo.localhost' });
  await vi.waitFor(async () => expect((await get('shop.example.com')).state).toBe('verified'), within);
});

it('a claim that is not proved keeps nobody away, and who cannot prove it any more loses it to who can', async () => {
  const squatter = await add('contested.example.com', 'other');
  const owner = await add('contested.example.com', 'demo');
  prove(owner);
  await verify('contested.example.com', 'demo', ({ state }) => state === 'verified');
  await verify('contested.example.com', 'other', ({ reason }) => reason === 'wrong_record');

  // Both records stand: who was first keeps it.
  const [first, second] = [owner.proofs[0], squatter.proofs[0]];
  dns.set(first?.name ?? '', { txt: [first?.value ?? '', second?.value ?? ''] });
  await verify('contested.example.com', 'other', ({ reason }) => reason === 'taken');
  expect((await get('contested.example.com')).state).toBe('verified');

  dns.set(first?.name ?? '', { txt: [second?.value ?? ''] });
  await verify('contested.example.com', 'other', ({ state }) => state === 'verified');
  expect(await get('contested.example.com')).toMatchObject({ state: 'lost', reason: 'taken' });
  await vi.waitFor(async () => expect(await projectAt('contested.example.com')).toBe('other'), within);
});

it('a wildcard leads there too, and goes with its service', async () => {
  await deploy('demo', 'short');
  const added = await add('*.wild.example.com', 'demo', 'short');
  expect(added).toMatchObject({ url: null, proofs: [{ name: '_skyrun-challenge.wild.example.com' }] });
  prove(added);
  await verify('*.wild.example.com', 'demo', ({ state }) => state === 'verified');
  await vi.waitFor(async () => expect(await projectAt('*.wild.example.com')).toBe('demo'), within);
  await registry.client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'short' } });
  await vi.waitFor(async () => expect(await projectAt('*.wild.example.com')).toBeUndefined(), within);
  const list = await registry.client.call(OPERATIONS.listDomains, { params: { project: 'demo' } });
  expect(list.items.map(({ name }) => name)).not.toContain('*.wild.example.com');
});

it('a DNS that does not answer takes nobody’s domain', async () => {
  const added = await add('quiet.example.com');
  prove(added);
  await verify('quiet.example.com', 'demo', ({ state }) => state === 'verified');
  dns.silence(true);
  try {
    const before = (await get('quiet.example.com')).checkedAt;
    const found = await verify('quiet.example.com', 'demo', ({ checkedAt }) => checkedAt !== before);
    expect(found).toMatchObject({ state: 'verified', message: expect.stringContaining('did not answer') });
  } finally {
    dns.silence(false);
  }
});

it('refuses hosts of the platform, services that there are not, and the same twice', async () => {
  const field = (name: string) => ({ errors: [{ field: name }] });
  await expect(add('x.demo.localhost')).rejects.toMatchObject(field('/name'));
  await expect(add('not a host')).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(add('a.example.org', 'demo', 'nothing')).rejects.toMatchObject(field('/service'));
  await add('twice.example.org');
  await expect(add('twice.example.org')).rejects.toMatchObject({ code: 'resource.already_exists' });
});

it('tells of each in an event', async () => {
  const added = await add('told.example.com');
  prove(added);
  await verify('told.example.com', 'demo', ({ state }) => state === 'verified');
  await remove('told.example.com');
  expect(await eventTypes('domains/demo/told.example.com')).toEqual([
    'skyrun.domain.added.v1',
    'skyrun.domain.verified.v1',
    'skyrun.domain.removed.v1',
  ]);
});

it('a project has as many domains as it may, however many are added at once, and operators find its routes', async () => {
  const names = Array.from({ length: MOST_DOMAINS + 3 }, (_, index) => `host-${index}.crowded.example`);
  const results = await Promise.allSettled(names.map((name) => add(name, 'crowded')));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toHaveLength(3);
  for (const problem of refused) {
    expect(problem).toMatchObject({ code: 'resource.limit_reached', errors: [{ field: '/name' }] });
    expect(String(problem.detail)).toContain('remove one that is not needed');
  }
  const taken = names.find((_, index) => results[index]?.status === 'fulfilled') ?? '';
  const left = names.find((_, index) => results[index]?.status === 'rejected') ?? '';
  await expect(add(taken, 'crowded')).rejects.toMatchObject({ code: 'resource.already_exists' });
  await remove(taken, 'crowded');
  expect(await add(left, 'crowded')).toMatchObject({ name: left, state: 'pending' });

  await vi.waitFor(async () => {
    const listed = await registry.client.call(OPERATIONS.listGatewayRoutes, { query: { text: 'crowded/hello' } });
    expect(listed.items).toMatchObject([{ host: 'hello.crowded.localhost', kind: 'service', service: 'hello' }]);
    expect(listed.nextCursor).toBeNull();
    expect(listed.total).toBeGreaterThanOrEqual(3);
  }, within);
});
