import { domainName } from '@skyrun/contracts';
import { describe, expect, test } from 'vitest';
import { decideDomain, GRACE_MS, type KnownDomain } from './decide-domain.ts';
import { type Finding, type Found, judgeRecords, proofsOf } from './proofs.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

describe('a name', () => {
  test.each([
    ['www.example.com', true],
    ['example.com', true],
    ['*.example.com', true],
    ['WWW.Example.COM', true],
    ['xn--bcher-kva.example', true],
    ['localhost', false],
    ['*.com', false],
    ['*', false],
    ['a.*.example.com', false],
    ['example.com.', false],
    ['exa_mple.com', false],
    ['-a.example.com', false],
    ['192.168.0.1', false],
    ['example.com:8080', false],
    [`${'a'.repeat(64)}.example.com`, false],
  ])('%s: %s', (name, fits) => {
    expect(domainName.safeParse(name).success).toBe(fits);
  });
});

describe('what was found', () => {
  const exact = proofsOf('www.example.com', 'abc', 'hello.demo.skyrun.test');
  const wildcard = proofsOf('*.example.com', 'abc', 'hello.demo.skyrun.test');
  const none: Found = { txt: [], cname: [] };

  test('the records that prove it', () => {
    expect(exact).toEqual([
      { type: 'TXT', name: '_skyrun-challenge.www.example.com', value: 'skyrun-verification=abc' },
      { type: 'CNAME', name: 'www.example.com', value: 'hello.demo.skyrun.test' },
    ]);
    expect(wildcard).toEqual([
      { type: 'TXT', name: '_skyrun-challenge.example.com', value: 'skyrun-verification=abc' },
    ]);
  });

  test.each<[string, typeof exact, Found, string]>([
    ['the TXT record', exact, { ...none, txt: ['other', 'skyrun-verification=abc'] }, 'TXT'],
    ['the TXT record while the rest is silent', exact, { txt: ['skyrun-verification=abc'], cname: null }, 'TXT'],
    ['an alias of the service', exact, { ...none, cname: ['hello.demo.skyrun.test'] }, 'CNAME'],
    ['an alias of an alias', exact, { ...none, cname: ['cdn.example.com', 'Hello.Demo.skyrun.test.'] }, 'CNAME'],
    ['a wildcard’s TXT record', wildcard, { ...none, txt: ['skyrun-verification=abc'] }, 'TXT'],
    ['nothing', exact, none, 'no_record'],
    ['another claim’s TXT record', exact, { ...none, txt: ['skyrun-verification=xyz'] }, 'wrong_record'],
    ['an alias of another service', exact, { ...none, cname: ['evil.other.skyrun.test'] }, 'wrong_record'],
    ['an alias of the platform alone', exact, { ...none, cname: ['skyrun.test'] }, 'wrong_record'],
    [
      'a wildcard’s alias, which proves nothing',
      wildcard,
      { ...none, cname: ['hello.demo.skyrun.test'] },
      'wrong_record',
    ],
    ['silence', exact, { txt: null, cname: null }, 'resolver_failed'],
    ['silence in part', exact, { txt: [], cname: null }, 'resolver_failed'],
  ])('%s', (_, proofs, found, expected) => {
    const finding = judgeRecords(proofs, found);
    expect(finding.kind === 'proved' ? finding.proof.type : finding.reason).toBe(expected);
  });
});

describe('the verdict', () => {
  const [proof] = proofsOf('a.example.com', 'abc', 'h');
  if (proof === undefined) throw new Error('unreachable');
  const proved: Finding = { kind: 'proved', proof };
  const unproved = (reason: 'no_record' | 'resolver_failed'): Finding => ({ kind: 'unproved', reason, message: 'm' });
  const known = (state: KnownDomain['state'], fields: Partial<KnownDomain> = {}): KnownDomain => ({
    state,
    createdAt: NOW - 60_000,
    missingSince: null,
    ...fields,
  });

  test.each<[string, KnownDomain, Finding, boolean, string, string, number | null]>([
    ['a first look without a record', known('pending'), unproved('no_record'), false, 'pending', 'no_record', null],
    ['proved', known('pending'), proved, false, 'verified', 'proved', null],
    ['proved, and another has it', known('pending'), proved, true, 'pending', 'taken', null],
    ['still proved', known('verified'), proved, false, 'verified', 'proved', null],
    ['gone since now', known('verified'), unproved('no_record'), false, 'verified', 'proof_gone', NOW],
    [
      'gone for nearly three days',
      known('verified', { missingSince: NOW - GRACE_MS + 1 }),
      unproved('no_record'),
      false,
      'verified',
      'proof_gone',
      NOW - GRACE_MS + 1,
    ],
    [
      'gone for three days',
      known('verified', { missingSince: NOW - GRACE_MS }),
      unproved('no_record'),
      false,
      'lost',
      'proof_gone',
      null,
    ],
    [
      'silence takes nothing away, however long',
      known('verified', { missingSince: NOW - 2 * GRACE_MS }),
      unproved('resolver_failed'),
      false,
      'verified',
      'proved',
      NOW - 2 * GRACE_MS,
    ],
    ['back in time', known('verified', { missingSince: NOW - HOUR }), proved, false, 'verified', 'proved', null],
    ['proved anew', known('lost'), proved, false, 'verified', 'proved', null],
    ['lost, and another has it', known('lost'), proved, true, 'lost', 'taken', null],
    ['still lost', known('lost'), unproved('no_record'), false, 'lost', 'no_record', null],
  ])('%s', (_, before, finding, holder, state, reason, missingSince) => {
    const verdict = decideDomain(before, finding, holder, NOW);
    expect(verdict).toMatchObject({ state, reason, missingSince });
    expect(verdict.nextCheckAt).toBeGreaterThan(NOW);
    expect(verdict.message).not.toBe('');
  });

  test.each([
    [0, 15_000],
    [11 * 60_000, 5 * 60_000],
    [25 * HOUR, 24 * HOUR],
  ])('after %i ms without a record the next look is in %i ms', (age, wait) => {
    const { nextCheckAt } = decideDomain(known('pending', { createdAt: NOW - age }), unproved('no_record'), false, NOW);
    expect(nextCheckAt - NOW).toBe(wait);
  });
});
