import { expect, test } from 'vitest';
import { type FieldError, Problem } from '../problem.ts';
import { serviceSpec } from '../resources/service.ts';
import { toServiceSpec } from './from-knative.ts';
import { readServiceAnnotations, writeServiceAnnotations } from './service-annotations.ts';

const read = (annotations: Record<string, string>) => {
  const errors: FieldError[] = [];
  return { extras: readServiceAnnotations(annotations, '/metadata/annotations', errors), errors };
};

test('what is written is read back to the same', () => {
  const spec = serviceSpec.parse({
    template: { image: 'web:v1' },
    policy: { invoker: 'members', rateLimits: [{ requests: 5 }], maintenance: { message: 'Soon.' } },
    sessionAffinity: true,
    rollout: { steps: [{ percent: 10, seconds: 60 }] },
  });
  const { extras, errors } = read(writeServiceAnnotations(spec));
  expect(errors).toEqual([]);
  expect(extras).toEqual({ policy: spec.policy, sessionAffinity: true, rollout: spec.rollout });
  expect(writeServiceAnnotations({})).toEqual({});
});

test.each([
  [{ 'skyrun.dev/policy': 'members' }, /skyrun\.dev~1policy$/, /expected JSON, such as/],
  [{ 'skyrun.dev/policy': '{"invoker":"nobody"}' }, /policy$/, /^invoker: /],
  [{ 'skyrun.dev/policy': '{"rateLimits":[{}]}' }, /policy$/, /^rateLimits\.0\.requests: /],
  [{ 'skyrun.dev/session-affinity': '"yes"' }, /session-affinity$/, /boolean/],
  [{ 'skyrun.dev/polcy': '{}' }, /polcy$/, /there are skyrun\.dev\/policy/],
])('%j is refused by its name', (annotations, field, message) => {
  const { errors } = read(annotations as Record<string, string>);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.field).toMatch(field);
  expect(errors[0]?.message).toMatch(message);
});

test('a file says it in the metadata of its service', () => {
  const file = (annotations: Record<string, string>) => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'web', annotations },
    spec: { template: { spec: { containers: [{ image: 'web:v1' }] } } },
  });
  const { spec } = toServiceSpec(file({ 'skyrun.dev/policy': '{"invoker":"members"}' }));
  expect(spec.policy?.invoker).toBe('members');
  expect(() => toServiceSpec(file({ team: 'blue' }))).toThrow(Problem);
});
