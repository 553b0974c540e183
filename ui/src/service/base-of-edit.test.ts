import { type Service, serviceSpec } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { baseOfEdit } from './base-of-edit.ts';

const AT = '2026-01-01T00:00:00.000Z';
const service = (generation: number, spec: unknown): Service => ({
  id: 'svc_01890000-0000-7000-8000-000000000001',
  project: 'demo',
  name: 'web',
  generation,
  spec: serviceSpec.parse(spec),
  status: {
    url: 'http://web.demo.localhost',
    observedGeneration: generation,
    conditions: [],
    traffic: [],
    instances: { ready: 0, starting: 0, draining: 0 },
  },
  createdAt: AT,
  updatedAt: AT,
});
const spec = { template: { image: 'web:v1' }, policy: { invoker: 'members' } };

test('a newer generation that left the part alone is built upon', () => {
  const began = service(1, spec);
  const other = service(2, { ...spec, template: { image: 'web:v2' } });
  expect(baseOfEdit(began, other, 'policy')).toBe(other);
  expect(baseOfEdit(began, other, 'template')).toBe(began);
});

test('a policy that came in the meantime is not overwritten', () => {
  const began = service(1, { template: spec.template });
  expect(baseOfEdit(began, service(2, spec), 'policy')).toBe(began);
  const untouched = service(2, { template: spec.template });
  expect(baseOfEdit(began, untouched, 'policy')).toBe(untouched);
});
