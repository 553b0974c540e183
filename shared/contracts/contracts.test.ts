import { expect, test } from 'vitest';
import { ALL_OPERATIONS } from './api/operations.ts';
import { EVENT_TYPES, EVENTS } from './events/catalogue.ts';
import { expandTypes, InvalidEventError, matchesType, parseEvent } from './events/event.ts';
import { idSchema, makeId, uuidV7 } from './ids.ts';
import { dnsLabel } from './names.ts';
import { PROBLEMS } from './problem.ts';
import { LATENCY_BOUNDS_MS, latencyQuantile } from './resources/metrics.ts';
import { serviceSpec } from './resources/service.ts';

const random = new Uint8Array(10).map((_, index) => index * 25);

test('a UUIDv7 carries time, version and variant, and sorts by time', () => {
  expect(uuidV7({ now: 0x0123_4567_89ab, random })).toMatch(
    /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(uuidV7({ now: 1, random }) < uuidV7({ now: 2, random })).toBe(true);
});

test('an id is accepted by its own kind only', () => {
  const id = makeId('service', { now: 1_700_000_000_000, random });
  expect(idSchema('service').safeParse(id).success).toBe(true);
  expect(idSchema('project').safeParse(id).success).toBe(false);
});

test.each(['a', 'web', 'web-2', 'a1'])('%j can be a name', (name) =>
  expect(dnsLabel.safeParse(name).success).toBe(true),
);
test.each(['', '-a', 'a-', 'A', '1a', 'a--b', 'a.b', 'a_b', 'x'.repeat(41)])('%j cannot be a name', (name) =>
  expect(dnsLabel.safeParse(name).success).toBe(false),
);

test('each operation has an id of its own, and a method and path of its own', () => {
  expect(new Set(ALL_OPERATIONS.map(({ id }) => id)).size).toBe(ALL_OPERATIONS.length);
  const routes = ALL_OPERATIONS.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  expect(new Set(routes).size).toBe(ALL_OPERATIONS.length);
});

test('internal operations live under /internal, all others under /api/v1', () => {
  for (const { path, permission } of ALL_OPERATIONS) {
    expect(path.startsWith(permission === 'internal' ? '/internal/v1/' : '/api/v1/')).toBe(true);
  }
});

test('a project’s permission is asked on paths that name a project only', () => {
  for (const { id, path, permission } of ALL_OPERATIONS) {
    if (permission.includes('.')) expect(path, id).toContain('{project}');
  }
});

test('problem codes are dotted and statuses are errors', () => {
  for (const [code, { status }] of Object.entries(PROBLEMS)) {
    expect(code).toMatch(/^[a-z]+\.[a-z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
  }
});

test('event types are named skyrun.<noun>.<past-verb>.v1 and stand under their own name', () => {
  for (const [name, definition] of Object.entries(EVENTS)) {
    expect(definition.type).toBe(name);
    expect(name).toMatch(/^skyrun\.[a-z]+\.[a-z]+\.v1$/);
  }
});

test.each([
  ['*', 'skyrun.user.created.v1', true],
  ['skyrun.instance.*', 'skyrun.instance.ready.v1', true],
  ['skyrun.instance.*', 'skyrun.instances.ready.v1', false],
  ['skyrun.*.created.v1', 'skyrun.user.created.v1', true],
  ['skyrun.user.created.v1', 'skyrun.user.createdxv1', false],
  ['skyrunxuser.*', 'skyrun.user.created.v1', false],
  ['skyrun.user.created.v1*', 'skyrun.user.created.v1', false],
  ['skyrun.*.*.v1', 'skyrun.user.created.v1', true],
  ['skyrun.*user.created.v1', 'skyrun.user.created.v1', false],
  ['a*ab', 'ab', false],
  ['a*b*b', 'axbb', false],
  ['a*b*b', 'axbxb', true],
])('pattern %s and %s: %s', (pattern, type, matches) => expect(matchesType(pattern, type)).toBe(matches));

test('a pattern of many stars is as quick as any other', () => {
  // A regular expression goes back over them for half a minute, which is longer than a test may take.
  const type = `team.shop.${'a'.repeat(50)}.${'a'.repeat(50)}.v1`;
  expect(matchesType('*a*a*a*a*a*aZ', type)).toBe(false);
});

test('a pattern that means no type is an error by name', () => {
  expect(expandTypes(['*'])).toEqual(EVENT_TYPES);
  expect(() => expandTypes(['skyrun.nothing.*'])).toThrow(InvalidEventError);
});

const event = {
  specversion: '1.0',
  id: 'evt_1',
  source: '/skyrun/identity',
  type: 'skyrun.user.created.v1',
  subject: 'users/1',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  sequence: 1,
  data: { id: makeId('user', { now: 1, random }), email: 'a@b.c', admin: false },
};

test('a good event parses, and fields of a newer producer are dropped', () => {
  expect(parseEvent({ ...event, data: { ...event.data, newer: 1 } }).data).toEqual(event.data);
});

test.each([
  ['unknown_type', { ...event, type: 'skyrun.user.exploded.v1' }],
  ['invalid_data', { ...event, data: { ...event.data, email: 1 } }],
  ['invalid_envelope', { ...event, time: 'yesterday' }],
  ['invalid_envelope', null],
])('%s is an error by name', (problem, input) => {
  expect(() => parseEvent(input)).toThrow(expect.objectContaining({ name: 'InvalidEventError', problem }));
});

test('a spec gets defaults, and refuses what it does not know or cannot be', () => {
  const spec = serviceSpec.parse({ template: { image: 'web' } });
  expect(spec.template).toMatchObject({ port: 8080, containerConcurrency: 80, scaling: { minScale: 0, maxScale: 20 } });
  expect(serviceSpec.safeParse({ template: { image: 'web', prot: 1 } }).success).toBe(false);
  expect(serviceSpec.safeParse({ template: { image: 'web', env: [{ name: 'PORT', value: '1' }] } }).success).toBe(
    false,
  );
  expect(serviceSpec.safeParse({ template: { image: 'web', scaling: { minScale: 3, maxScale: 2 } } }).success).toBe(
    false,
  );
  expect(serviceSpec.safeParse({ ...spec, traffic: [{ percent: 60 }] }).success).toBe(false);
});

test('a quantile is the bound of the bucket that holds its rank', () => {
  const buckets = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  expect(latencyQuantile(buckets, 0.5)).toBeNull();
  buckets[0] = 98;
  buckets[5] = 2;
  expect(latencyQuantile(buckets, 0.5)).toBe(1);
  expect(latencyQuantile(buckets, 0.98)).toBe(1);
  expect(latencyQuantile(buckets, 0.99)).toBe(10);
});
