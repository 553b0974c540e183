import { expect, test } from 'vitest';
import { instanceSpec } from '../../testing/instance-spec.ts';
import { always, canAsk } from './privileges.ts';
import { serviceSpec } from './service-spec.ts';

test.each([
  ['1.41', false],
  ['1.43', false],
  ['1.44', true],
  ['1.51', true],
  ['2.0', true],
  ['', false],
])('an engine of API %s can be asked: %s', (version, expected) => {
  expect(canAsk(version)).toBe(expected);
});

test.each([
  [['name=seccomp,profile=default'], false],
  [['name=seccomp,profile=default', 'name=no-new-privileges'], true],
  [['no-new-privileges'], true],
  [[], false],
])('a daemon with %j never lets one gain: %s', (options, expected) => {
  expect(always(options)).toBe(expected);
});

test('a service says so where the engine understands it, and drops every capability in any case', () => {
  const spec = instanceSpec();
  const made = (noNewPrivileges: boolean) =>
    serviceSpec(spec, { name: 'one', installation: 'test', pidsLimit: 64, noNewPrivileges });
  expect(made(true)).toMatchObject({
    TaskTemplate: { ContainerSpec: { CapabilityDrop: ['ALL'], Privileges: { NoNewPrivileges: true } } },
  });
  expect(made(false)).toMatchObject({ TaskTemplate: { ContainerSpec: { CapabilityDrop: ['ALL'] } } });
  expect(JSON.stringify(made(false))).not.toContain('Privileges');
});
