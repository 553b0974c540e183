import { describe, expect, test } from 'vitest';
import {
  bridgeName,
  bridgePattern,
  chainsOf,
  jumps,
  jumpsIn,
  type NetworkRules,
  resolversIn,
  restoreScript,
} from './rules.ts';

const rules: NetworkRules = {
  installation: 'one',
  denied: ['169.254.0.0/16'],
  resolvers: ['10.0.0.2'],
  bridges: [],
};

describe('the names of an installation', () => {
  test('a bridge fits an interface’s name, belongs to its installation, and differs by project', () => {
    const names = ['a', 'b', 'a-much-longer-project-name-than-fits'].map((project) => bridgeName('one', project));
    for (const name of names) {
      expect(name).toHaveLength(15);
      expect(name.startsWith(bridgePattern('one').slice(0, -1))).toBe(true);
    }
    expect(new Set(names).size).toBe(3);
    expect(bridgePattern('two')).not.toBe(bridgePattern('one'));
  });

  test('chains fit the packet filter’s 28 characters', () => {
    for (const name of Object.values(chainsOf('x'.repeat(32)))) expect(name.length).toBeLessThanOrEqual(28);
  });
});

test('jumps are found again in a listing, and nobody else’s are', () => {
  const mine = jumps({ ...rules, bridges: ['br-0123456789ab'] }, 'DOCKER-USER');
  const listing = [
    '-P INPUT ACCEPT',
    '-A DOCKER-USER -j RETURN',
    ...mine.map(({ chain, rule }) => `-A ${chain} ${rule.join(' ')}`),
    ...jumps({ ...rules, installation: 'two' }, 'DOCKER-USER').map(
      ({ chain, rule }) => `-A ${chain} ${rule.join(' ')}`,
    ),
    `-A INPUT -s 10.0.0.0/8 -j ${chainsOf('one').input}-other`,
  ].join('\n');
  expect(jumpsIn(listing, 'one')).toEqual(mine);
  expect(mine).toHaveLength(4);
});

test('answers and names pass before anything is refused, and each rule says whose it is', () => {
  const lines = restoreScript(rules, 4).split('\n');
  const inForward = lines.filter((line) => line.startsWith(`-A ${chainsOf('one').forward} `));
  expect(inForward[0]).toContain('RELATED,ESTABLISHED');
  const name = inForward.findIndex((line) => line.includes('-d 10.0.0.2/32 -p udp --dport 53'));
  const denied = inForward.findIndex((line) => line.includes('-d 169.254.0.0/16'));
  expect(name).toBeGreaterThan(0);
  expect(denied).toBeGreaterThan(name);
  for (const line of lines.filter((each) => each.startsWith('-A'))) expect(line).toContain('--comment skyrun-one -j');
  expect(restoreScript(rules, 6)).not.toContain('RETURN');
});

test.each([
  ['nameserver 10.0.0.2\nnameserver 127.0.0.53\n', ['10.0.0.2']],
  ['# nameserver 10.0.0.3\nsearch x\nnameserver  169.254.169.254\nnameserver 169.254.169.254', ['169.254.169.254']],
  ['nameserver fe80::1', []],
  ['', []],
])('the resolvers in %j', (text, expected) => {
  expect(resolversIn(text)).toEqual(expected);
});
