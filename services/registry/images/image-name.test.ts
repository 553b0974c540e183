import { Problem } from '@skyrun/contracts';
import { describe, expect, it } from 'vitest';
import { chooseName, type ImageChoice, parseImageChoice, refuseForeignNames } from './image-name.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

it.each<[string, ImageChoice | null]>([
  ['web', { kind: 'tag', name: 'web', tag: 'latest' }],
  ['web:v1', { kind: 'tag', name: 'web', tag: 'v1' }],
  ['team/web:v1.2_x-y', { kind: 'tag', name: 'team/web', tag: 'v1.2_x-y' }],
  [DIGEST, { kind: 'digest', name: null, digest: DIGEST }],
  [`web@${DIGEST}`, { kind: 'digest', name: 'web', digest: DIGEST }],
  ['sha256:ab', { kind: 'tag', name: 'sha256', tag: 'ab' }],
  ['web:', null],
  ['Web', null],
  ['ghcr.io/acme/web:v1', { kind: 'tag', name: 'ghcr.io/acme/web', tag: 'v1' }],
  ['localhost:5000/web', null],
  ['web@v1', null],
  ['../web', null],
  ['', null],
])('a template’s %j means %j', (text, choice) => {
  expect(parseImageChoice(text)).toEqual(choice);
});

describe('chooseName', () => {
  it.each<[{ name?: string; tag?: string }, string[], [string, string]]>([
    [{}, ['web:v1'], ['web', 'v1']],
    [{}, ['ghcr.io/acme/web:v1'], ['acme/web', 'v1']],
    [{}, ['localhost:5000/web'], ['web', 'latest']],
    [{}, ['docker.io/library/nginx:1.27'], ['nginx', '1.27']],
    [{}, ['skyrun.local/demo/web:0123'], ['web', '0123']],
    [{}, ['???', 'web:v2'], ['web', 'v2']],
    [{ name: 'mine' }, ['web:v1'], ['mine', 'v1']],
    [{ tag: 'mine' }, ['web:v1'], ['web', 'mine']],
    [{ name: 'mine' }, [], ['mine', 'latest']],
  ])('%j of %j', (wanted, names, [name, tag]) => {
    expect(chooseName(wanted, names)).toEqual({ name, tag });
  });
  it('asks for a name where there is none', () => {
    expect(() => chooseName({}, [])).toThrow(Problem);
  });
});

it.each([
  ['web:v1', true],
  ['skyrun.local/demo/web:v1', true],
  ['skyrun.local/other/web:v1', false],
  ['SKYRUN.LOCAL/other/web:v1', false],
  ['skyrun.local/demo-2/web', false],
  ['skyrun.local', false],
  ['example.com/skyrun.local/other/web', true],
])('project demo may upload %s: %s', (name, allowed) => {
  const check = () => refuseForeignNames([name], 'demo');
  if (allowed) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: 'image.foreign_tag' }));
});
