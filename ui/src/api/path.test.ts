import { expect, test } from 'vitest';
import { buildPath } from './path.ts';

test.each([
  ['/a', undefined, undefined, '/a'],
  ['/p/{project}/s/{service}', { project: 'demo', service: 'x' }, {}, '/p/demo/s/x'],
  ['/p/{project}', { project: 'a/b c' }, {}, '/p/a%2Fb%20c'],
  ['/p', {}, { limit: 50, cursor: undefined, text: '', all: 'true' }, '/p?limit=50&all=true'],
  ['/p', {}, { type: 'skyrun.instance.*', text: 'ä&=' }, '/p?type=skyrun.instance.*&text=%C3%A4%26%3D'],
])('%s with %j and %j is %s', (template, params, query, path) => {
  expect(buildPath(template, params, query)).toBe(path);
});

test.each([{}, { project: '' }, { project: undefined }])('a path without its parameter is refused: %j', (params) => {
  expect(() => buildPath('/p/{project}', params)).toThrow(TypeError);
});
