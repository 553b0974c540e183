import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, test } from 'vitest';
import { YAMLParseError } from 'yaml';
import { credentialOf } from './call.ts';
import type { JsonObject } from './json.ts';
import {
  afterApply,
  afterUpdate,
  conflicts,
  fromManagedFields,
  type Manager,
  merged,
  toManagedFields,
} from './managed-fields.ts';
import { formOf } from './negotiate.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { readYaml } from './read-yaml.ts';
import { fieldSelector, labelSelector, matchesFields } from './selectors.ts';
import { fieldPath } from './status.ts';
import { targetOf } from './target.ts';

test.each([
  ['/api', { kind: 'document', document: 'versions' }],
  ['/apis/serving.knative.dev/v1', { kind: 'document', document: 'resources', group: 'serving.knative.dev' }],
  ['/apis/serving.knative.dev/v1/services', { kind: 'objects', project: null, name: null }],
  ['/apis/serving.knative.dev/v1/namespaces/demo/services', { kind: 'objects', project: 'demo', name: null }],
  ['/apis/serving.knative.dev/v1/namespaces/demo/revisions/a', { kind: 'objects', project: 'demo', name: 'a' }],
  ['/apis/serving.knative.dev/v1/services/a', { kind: 'unknown' }],
  ['/apis/apps/v1/deployments', { kind: 'unknown' }],
  ['/api/v1/namespaces/demo', { kind: 'namespaces', name: 'demo' }],
  ['/api/v1/namespaces/demo/pods', { kind: 'unknown' }],
  ['/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { kind: 'review' }],
  ['/apis/%E0%A4%A', { kind: 'unknown' }],
])('%s', (path, target) => {
  expect(targetOf(path)).toMatchObject(target);
});

test.each([
  [undefined, null],
  ['application/json', null],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'Table'],
  ['application/vnd.kubernetes.protobuf, application/json', null],
])('accepts %s', (accept, as) => {
  expect(formOf(accept)?.as).toBe(as);
});
test('only protobuf is not acceptable', () => expect(formOf('application/vnd.kubernetes.protobuf')).toBeNull());

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front' };
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app!=web', false],
    ['app in (web, api)', true],
    ['app notin (web,api)', false],
    ['tier', true],
    ['!tier', false],
    ['!missing,missing notin (x)', true],
  ])('%s is %s', (text, matches) => expect(labelSelector(text)(labels)).toBe(matches));
  it.each(['=x', 'a b', 'a in x'])('refuses %s', (text) => {
    expect(() => labelSelector(text)).toThrow(expect.objectContaining({ code: 400 }));
  });
});

test('field selectors are of name and namespace', () => {
  const selection = fieldSelector('metadata.name=a,metadata.namespace!=demo');
  expect(matchesFields(selection, { name: 'a', project: 'other' })).toBe(true);
  expect(matchesFields(selection, { name: 'a', project: 'demo' })).toBe(false);
  expect(() => fieldSelector('spec.x=1')).toThrow(expect.objectContaining({ code: 400 }));
});

test('a merge patch (RFC 7396)', () => {
  expect(mergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null, e: 3 }, d: [2] })).toEqual({
    a: { c: 2, e: 3 },
    d: [2],
  });
});

test.each<[string, unknown, unknown]>([
  ['add to a list', [{ op: 'add', path: '/l/1', value: 9 }], { l: [1, 9, 2], o: { 'a/b': 1 } }],
  ['append', [{ op: 'add', path: '/l/-', value: 9 }], { l: [1, 2, 9], o: { 'a/b': 1 } }],
  ['remove escaped', [{ op: 'remove', path: '/o/a~1b' }], { l: [1, 2], o: {} }],
  ['move', [{ op: 'move', from: '/l/0', path: '/o/x' }], { l: [2], o: { 'a/b': 1, x: 1 } }],
  ['test', [{ op: 'test', path: '/l', value: [1, 2] }], { l: [1, 2], o: { 'a/b': 1 } }],
])('a JSON patch can %s (RFC 6902)', (_, patch, result) => {
  expect(jsonPatch({ l: [1, 2], o: { 'a/b': 1 } }, patch)).toEqual(result);
});
test.each<[string, unknown]>([
  ['a missing field', [{ op: 'remove', path: '/x' }]],
  ['a failed test', [{ op: 'test', path: '/l', value: [] }]],
  ['a position too far', [{ op: 'add', path: '/l/7', value: 1 }]],
])('a JSON patch with %s does not apply', (_, patch) => {
  expect(() => jsonPatch({ l: [1] }, patch)).toThrow(expect.objectContaining({ code: 422 }));
});

test('YAML is read to a bound, once per key and without aliases', () => {
  expect(readYaml('a: 1\nb: [x, {c: y}]')).toEqual({ a: 1, b: ['x', { c: 'y' }] });
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}: v`).join('\n');
  expect(Object.keys(readYaml(keys(5000)) ?? {})).toHaveLength(5000);
  // Compared each with each, so many hold the process for minutes.
  expect(() => readYaml(keys(60_000))).toThrow(expect.objectContaining({ code: 413 }));
  expect(() => readYaml('a: {b: 1, c: 2, b: 3}')).toThrow(expect.objectContaining({ code: 400 }));
  expect(() => readYaml('a: &a [x]\nb: *a')).toThrow(ReferenceError);
  expect(() => readYaml('a: [')).toThrow(YAMLParseError);
  expect(() => readYaml('--- a\n--- b')).toThrow(YAMLParseError);
});

test('a JSON patch that doubles the document again and again is refused before it fills the memory', () => {
  const doubling = Array.from({ length: 40 }, (_, step) => ({ op: 'copy', from: '/o', path: `/o/${step}` }));
  expect(() => jsonPatch({ o: { a: 'x'.repeat(100) } }, doubling)).toThrow(expect.objectContaining({ code: 413 }));
});

test('a JSON patch that is applied again makes the same of the same', () => {
  const patch = [
    { op: 'add', path: '/l', value: [] },
    { op: 'add', path: '/l/-', value: 1 },
  ];
  expect(jsonPatch({}, patch)).toEqual({ l: [1] });
  expect(jsonPatch({}, patch)).toEqual({ l: [1] });
});

describe('managed fields', () => {
  const object = (spec: JsonObject): JsonObject => ({ metadata: { labels: {} }, spec });
  const by = (manager: string, live: JsonObject, managers: readonly Manager[] = []) => ({
    live,
    managers,
    manager,
    apiVersion: 'serving.knative.dev/v1',
    now: '2026-01-01T00:00:00Z',
  });
  const live = object({ a: 1, m: { x: 1, y: 2 } });
  const owners = afterUpdate({ ...by('one', {}), next: live });

  it('makes what changed the updater’s alone', () => {
    const next = object({ a: 2, m: { x: 1, y: 2 } });
    const after = afterUpdate({ ...by('two', live, owners), next });
    expect(after.map(({ manager, paths }) => [manager, paths.map((path) => path.join('.'))])).toEqual([
      ['one', ['spec.m.x', 'spec.m.y']],
      ['two', ['spec.a']],
    ]);
  });
  it('finds a conflict where another’s field would change, and none where the value is the same', () => {
    const applied = object({ a: 2, m: { x: 1 } });
    const change = { ...by('two', live, owners), applied };
    const next = merged(change);
    expect(next).toEqual(object({ a: 2, m: { x: 1, y: 2 } }));
    const found = conflicts({ ...change, next });
    expect(found).toEqual([{ manager: 'one', path: ['spec', 'a'] }]);
    const after = afterApply({ ...change, taken: found });
    expect(after.find(({ manager }) => manager === 'one')?.paths).toEqual([
      ['spec', 'm', 'x'],
      ['spec', 'm', 'y'],
    ]);
  });
  it('takes away what its manager applied before and leaves out now', () => {
    const first = afterApply({ ...by('two', {}), applied: object({ a: 1, b: 2 }), taken: [] });
    const after = merged({ ...by('two', object({ a: 1, b: 2 }), first), applied: object({ a: 1 }) });
    expect(after).toEqual(object({ a: 1 }));
  });
  it('reads back what it shows', () => {
    expect(fromManagedFields(toManagedFields(owners))).toEqual(owners);
  });
});

test('pointers become Kubernetes’ paths', () => {
  expect(fieldPath('/spec/traffic/0/tag')).toBe('spec.traffic[0].tag');
  expect(fieldPath('/metadata/annotations/a~1b')).toBe('metadata.annotations[a/b]');
});

test.each<[string, Record<string, string>, string | null]>([
  ['an access token', { authorization: 'Bearer abc.def' }, 'abc.def'],
  ['an API key as a token', { authorization: 'bearer sk_1' }, 'sk_1'],
  ['an API key in its own header', { 'x-api-key': 'sk_2' }, 'sk_2'],
  ['both: the token, as everywhere', { authorization: 'Bearer abc', 'x-api-key': 'sk_3' }, 'abc'],
  ['neither', {}, null],
])('asks identity in the name of who sent %s', (_, headers, credential) => {
  const request = Object.assign(new IncomingMessage(new Socket()), { headers });
  if (credential !== null) expect(credentialOf(request)).toBe(credential);
  else expect(() => credentialOf(request)).toThrow(expect.objectContaining({ code: 'auth.required' }));
});
