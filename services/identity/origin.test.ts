import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Caller } from '@skyrun/kit';
import { describe, expect, it } from 'vitest';
import { originOf } from './origin.ts';

function request(forwarded: string | undefined): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  if (forwarded !== undefined) message.headers['x-forwarded-for'] = forwarded;
  return message;
}

const caller = { kind: 'user', userId: 'usr_1', email: '', admin: false, expiresAt: 0 } as const satisfies Caller;

describe('originOf', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['203.0.113.5', '203.0.113.5'],
    ['1.1.1.1, 203.0.113.5', '203.0.113.5'],
    ['spoofed,  2001:db8::1 ', '2001:db8::1'],
  ])('X-Forwarded-For %s is address %s: what our gateway added counts', (forwarded, address) => {
    expect(originOf({ request: request(forwarded), caller: null }).address).toBe(address);
  });

  it('names the person, if there is one', () => {
    expect(originOf({ request: request('x'), caller })).toEqual({ userId: 'usr_1', address: 'x' });
    expect(originOf({ request: request('x'), caller: { ...caller, userId: '' } }).userId).toBeNull();
  });
});
