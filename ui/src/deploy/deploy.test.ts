import { OPERATIONS } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { defaultTemplate, specOf, suggestName, valuesOf } from './form-values.ts';
import { viewOf } from './upload-progress.ts';
import { reduceUpload, type UploadState } from './use-upload.ts';

test.each([
  ['web', [], 'web'],
  ['team/Web_Shop', [], 'web-shop'],
  ['web', ['web', 'web-2'], 'web-3'],
  ['123', [], 'service'],
  ['9to5', [], 'to5'],
  [`${'a'.repeat(50)}`, [], 'a'.repeat(36)],
])('an image %s beside %j suggests the service %s', (image, taken, name) => {
  expect(suggestName(image, taken)).toBe(name);
  expect(OPERATIONS.createService.body.shape.name.safeParse(name).success).toBe(true);
});

test('a form that nobody touched changes nothing', () => {
  const template = { ...defaultTemplate('web:v1'), args: ['--serve'], env: [{ name: 'A', value: '1' }] };
  expect(specOf(valuesOf('web', template), template).template).toEqual(template);
});

test('what is typed arrives as the contracts want it', () => {
  const template = defaultTemplate('web:v1');
  const values = {
    ...valuesOf('web', template),
    port: '3000',
    cpu: '0.25',
    memoryMib: '256',
    minScale: '1',
    env: [
      { key: 'a', name: ' LEVEL ', value: ' keep ' },
      { key: 'b', name: '', value: '' },
    ],
  };
  const { template: made } = OPERATIONS.createService.body.parse({ name: 'web', spec: specOf(values, template) }).spec;
  expect(made).toMatchObject({ port: 3000, resources: { cpuMilli: 250, memoryMib: 256 }, scaling: { minScale: 1 } });
  expect(made.env).toEqual([{ name: 'LEVEL', value: ' keep ' }]);
});

test.each([
  ['port', '', '/spec/template/port'],
  ['maxScale', 'many', '/spec/template/scaling/maxScale'],
  ['cpu', '', '/spec/template/resources/cpuMilli'],
] as const)('%s "%s" is refused at %s', (field, text, pointer) => {
  const template = defaultTemplate('web:v1');
  const spec = specOf({ ...valuesOf('web', template), [field]: text }, template);
  const parsed = OPERATIONS.createService.body.safeParse({ name: 'web', spec });
  expect(parsed.error?.issues.map(({ path }) => `/${path.join('/')}`)).toEqual([pointer]);
});

test.each([
  [null, 30, 100, { step: 0, percent: 30 }],
  [null, 130, 100, { step: 0, percent: 100, bytes: 100 }],
  [{ phase: 'receiving', bytes: 10 }, 50, 100, { step: 0, percent: 50 }],
  [{ phase: 'validating', bytes: 1, totalBytes: 3 }, 100, 100, { step: 1, percent: 33 }],
  [{ phase: 'importing', bytes: 0, totalBytes: 0 }, 100, 100, { step: 2, percent: 100 }],
] as const)('the server at %j with %i of %i bytes sent shows %j', (server, sent, size, view) => {
  expect(viewOf(server, sent, size)).toMatchObject(view);
});

test('what comes after a cancel changes nothing', () => {
  const file = new File(['x'], 'a.tar');
  const started = reduceUpload({ step: 'choose' }, { kind: 'start', file });
  const cancelled = reduceUpload(started, { kind: 'reset' });
  const late: UploadState = reduceUpload(cancelled, { kind: 'sent', bytes: 5 });
  expect(late).toEqual({ step: 'choose' });
  expect(reduceUpload(late, { kind: 'server', progress: { phase: 'receiving', bytes: 5 } })).toEqual(late);
});
