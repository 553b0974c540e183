import { ManualClock } from '@skyrun/kit';
import { describe, expect, it } from 'vitest';
import { deleted } from '../events.fixture.ts';
import { ForbiddenAddressError, isPublic, permittedAddresses } from './address.ts';
import { createDestinations } from './destinations.ts';
import { takes } from './match.ts';
import { signatureHeaders, toMessage } from './message.ts';
import { createSender } from './sender.ts';
import { isDestinationIll, type Outcome, retryAfterOf, verdictOf } from './verdict.ts';

const answered = (status: number): Outcome => ({ kind: 'answered', status, retryAfterMs: null });

describe('verdict', () => {
  it.each([
    [200, 'delivered', false],
    [202, 'delivered', false],
    [204, 'delivered', false],
    [301, 'refused', false],
    [307, 'refused', false],
    [400, 'refused', false],
    [401, 'refused', false],
    [403, 'refused', false],
    [404, 'again', false],
    [408, 'refused', false],
    [409, 'again', false],
    [410, 'refused', false],
    [422, 'refused', false],
    [429, 'again', true],
    [500, 'again', true],
    [501, 'again', true],
    [503, 'again', true],
    [599, 'again', true],
  ] as const)('status %i: %s', (status, verdict, ill) => {
    expect(verdictOf(answered(status))).toBe(verdict);
    expect(isDestinationIll(answered(status))).toBe(ill);
  });

  it('tries again when no answer came, and not where it may not call', () => {
    expect(verdictOf({ kind: 'failed', error: 'ECONNREFUSED' })).toBe('again');
    expect(verdictOf({ kind: 'forbidden', error: 'x' })).toBe('refused');
  });

  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['7', 7_000],
    ['0', 0],
    ['999999', 3_600_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
  ])('Retry-After %j is %j ms', (header, ms) => expect(retryAfterOf(header, now)).toBe(ms));
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ])('%s is not public', (address) => expect(isPublic({ address, family: 4 })).toBe(false));
  it.each([
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
  ])('%s is not public', (address) => expect(isPublic({ address, family: 6 })).toBe(false));
  it.each([
    ['8.8.8.8', 4],
    ['172.32.0.1', 4],
    ['100.128.0.1', 4],
    ['2606:4700:4700::1111', 6],
  ] as const)('%s is public', (address, family) => expect(isPublic({ address, family })).toBe(true));

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://0/',
  ])('sees through %s', async (url) => {
    const policy = { allowPrivate: false, resolve: async () => [] };
    await expect(permittedAddresses(new URL(url).hostname, policy)).rejects.toThrow(ForbiddenAddressError);
  });

  it('refuses a name that leads to a public and a private address', async () => {
    const resolve = async () => [
      { address: '8.8.8.8', family: 4 } as const,
      { address: '10.0.0.1', family: 4 } as const,
    ];
    await expect(permittedAddresses('both.example', { allowPrivate: false, resolve })).rejects.toThrow(/both.example/);
  });

  it('checks again at each send: a name that changes its mind is not called', async () => {
    const sender = createSender({
      clock: new ManualClock(),
      timeoutMs: 1_000,
      allowPrivate: false,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    const outcome = await sender.send(
      'http://rebound.example/',
      { headers: {}, body: '' },
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({ kind: 'forbidden' });
    sender.close();
  });
});

describe('filter', () => {
  const event = { ...deleted('demo', 'web'), source: '/skyrun/registry' };
  const every = { types: [], subject: '', attributes: {}, sql: '' };
  it.each([
    ['nothing named', every, true],
    ['type', { ...every, types: ['skyrun.image.deleted.v1'] }, true],
    ['pattern', { ...every, types: ['skyrun.instance.*', 'skyrun.image.*'] }, true],
    ['other type', { ...every, types: ['skyrun.instance.*'] }, false],
    ['beginning of the subject', { ...every, subject: 'images/demo/' }, true],
    ['other subject', { ...every, subject: 'images/other' }, false],
    ['attribute', { ...every, attributes: { source: '/skyrun/registry', sequence: String(event.sequence) } }, true],
    ['attribute of another value', { ...every, attributes: { source: '/skyrun/billing' } }, false],
    ['an expression', { ...every, sql: "type LIKE '%.deleted.v1' AND subject IN ('images/demo/web', 'x')" }, true],
    ['an expression beside a type', { ...every, types: ['skyrun.instance.*'], sql: 'TRUE' }, false],
    ['an expression about what is not there', { ...every, sql: "missing != 'x'" }, false],
    ['attribute that is not there', { ...every, attributes: { traceparent: 'undefined' } }, false],
    ['data is no attribute', { ...every, attributes: { data: '[object Object]' } }, false],
  ])('%s', (_, filter, expected) => expect(takes(filter, event)).toBe(expected));
});

describe('message', () => {
  it('percent-encodes what a header cannot hold', () => {
    const event = { ...deleted('demo', 'web'), subject: 'images/demo/Größe "1" 100%😀' };
    expect(toMessage(event, 'binary').headers['ce-subject']).toBe(
      'images/demo/Gr%C3%B6%C3%9Fe%20%221%22%20100%25%F0%9F%98%80',
    );
  });

  it('signs as the example of Standard Webhooks', () => {
    const headers = signatureHeaders(
      { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' },
      ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('destinations', () => {
  const make = () => {
    const clock = new ManualClock();
    return { clock, ...createDestinations({ clock, concurrency: 2, threshold: 3, openMs: 1_000 }) };
  };
  const enter = (admit: ReturnType<typeof createDestinations>['admit'], url = 'http://a.example/x') => {
    const admission = admit(url);
    if (!admission.admitted) throw new Error(admission.why);
    return admission;
  };

  it('bounds what is open to one, and not what is open to others', () => {
    const { admit } = make();
    const first = enter(admit);
    enter(admit, 'http://a.example/y');
    expect(admit('http://a.example/z')).toMatchObject({ admitted: false, why: 'busy' });
    enter(admit, 'http://b.example/');
    first.leave(true);
    enter(admit);
  });

  it('opens after failures in a row, lets one through later, and closes with its success', async () => {
    const { clock, admit, circuit } = make();
    expect(circuit('http://a.example/')).toBe('closed');
    for (const healthy of [false, false, true, false, false, false]) enter(admit).leave(healthy);
    expect(admit('http://a.example/')).toMatchObject({ admitted: false, why: 'open', waitMs: 1_000 });
    expect(circuit('http://a.example/')).toBe('open');
    await clock.advance(1_000);
    const probe = enter(admit);
    expect(admit('http://a.example/')).toMatchObject({ admitted: false, why: 'busy' });
    probe.leave(false);
    expect(admit('http://a.example/')).toMatchObject({ why: 'open' });
    await clock.advance(1_000);
    enter(admit).leave(true);
    enter(admit);
    enter(admit);
  });
});
