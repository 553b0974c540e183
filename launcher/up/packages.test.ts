import { expect, test } from 'vitest';
import { installCommand, missingPackages, requirements } from './packages.ts';

const up = { engineAnswers: false, distributed: false, tests: false };
const nothing = (): boolean => false;

test.each([
  ['a bare machine', up, nothing, ['redis-server', 'docker.io', 'iptables']],
  ['somebody else’s engine', { ...up, engineAnswers: true }, nothing, ['redis-server']],
  [
    'the distributed shape',
    { ...up, distributed: true },
    nothing,
    ['redis-server', 'docker.io', 'iptables', 'rabbitmq-server'],
  ],
  [
    'tests',
    { ...up, tests: true },
    nothing,
    ['redis-server', 'docker.io', 'iptables', 'rabbitmq-server', 'chromium', 'iproute2', 'pebble', 'kubernetes-client'],
  ],
  ['redis from source', up, (file: string) => file === '/usr/local/bin/redis-server', ['docker.io', 'iptables']],
  ['everything there', { ...up, tests: true }, () => true, []],
])('%s', (_name, need, exists, expected) => {
  expect(missingPackages(requirements(need), exists)).toEqual(expected);
});

test('the command names what a person must type', () => {
  expect(installCommand(['redis-server'], false)).toBe(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server',
  );
  expect(installCommand(['redis-server'], true)).not.toContain('sudo');
});
