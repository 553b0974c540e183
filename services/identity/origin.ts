import type { IncomingMessage } from 'node:http';
import type { Caller } from '@skyrun/kit';
import type { Origin } from './context.ts';

/**
 * The last entry of `X-Forwarded-For` is the one that our own gateway added, the only party that reaches us; what
 * stands before it is the client's own claim.
 */
export function originOf({ request, caller }: { request: IncomingMessage; caller: Caller | null }): Origin {
  const header = request.headers['x-forwarded-for'];
  const chain = Array.isArray(header) ? header.join(',') : (header ?? '');
  const last = chain.split(',').at(-1)?.trim().slice(0, 100);
  const address = last ? last : (request.socket.remoteAddress ?? null);
  return { userId: caller === null || caller.userId === '' ? null : caller.userId, address };
}
