import { serviceSpec } from '@skyrun/contracts';
import { describe, expect, it } from 'vitest';
import { publicAddress, urlOf } from './service-state.ts';
import { type PinnedTemplate, revisionName, sameTemplate } from './template.ts';

const pinned = (template: object = {}, change: Partial<PinnedTemplate> = {}): PinnedTemplate => ({
  template: serviceSpec.parse({ template: { image: 'web', ...template } }).template,
  imageDigest: 'sha256:1',
  imageReference: 'skyrun.local/demo/web:1',
  ...change,
});

describe('sameTemplate', () => {
  it.each<[string, PinnedTemplate, boolean]>([
    ['the same', pinned(), true],
    ['a default spelled out', pinned({ port: 8080, env: [], scaling: { minScale: 0 } }), true],
    ['another name of the same image', pinned({ image: 'sha256:1' }), true],
    ['another digest', pinned({}, { imageDigest: 'sha256:2' }), false],
    ['another reference', pinned({}, { imageReference: 'skyrun.local/demo/other:1' }), false],
    ['another variable', pinned({ env: [{ name: 'A', value: '' }] }), false],
    ['arguments', pinned({ args: [] }), false],
    ['a deeper value', pinned({ scaling: { maxScale: 19 } }), false],
  ])('%s', (_, other, same) => {
    expect(sameTemplate(pinned(), other)).toBe(same);
    expect(sameTemplate(other, pinned())).toBe(same);
  });

  it('sees no change in what the database gives back', () => {
    const stored = pinned({ env: [{ name: 'A', value: '1' }] });
    expect(sameTemplate(JSON.parse(JSON.stringify(stored)), stored)).toBe(true);
  });
});

it('names revisions so that they sort', () => {
  expect([revisionName('web', 1), revisionName('web', 99_999), revisionName('web', 100_000)]).toEqual([
    'web-00001',
    'web-99999',
    'web-100000',
  ]);
});

it.each([
  ['http://localhost:8080', 'localhost', 'http://hello.demo.localhost:8080'],
  ['https://cloud.example.com', 'apps.example.com', 'https://hello.demo.apps.example.com'],
])('makes URLs of %s and %s', (publicUrl, baseDomain, url) => {
  expect(urlOf({ project: 'demo', name: 'hello' }, publicAddress(publicUrl, baseDomain))).toBe(url);
});
