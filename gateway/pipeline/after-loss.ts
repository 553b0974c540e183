import { isIdempotent } from '../http1/request-line.ts';
import type { Loss } from '../upstream/response-receiver.ts';

/** How often one request is tried again: on another instance, or on a fresh connection. */
const MAX_CONNECT_ATTEMPTS = 5;
const MAX_REPEATS = 2;

/** What is known of a request whose connection to an instance was lost before a response began. */
export interface LostRequest {
  readonly loss: Loss;
  readonly method: string;
  /** The client's whole request was read. */
  readonly whole: boolean;
  readonly hasBody: boolean;
  /** Body went out that is not kept, so the request cannot be sent again. */
  readonly streamed: boolean;
  /** The connection had carried an exchange before: the instance may only have ended an idle connection. */
  readonly reused: boolean;
  /** Connections that did not come about, and instances that refused it, with this one. */
  readonly connectAttempts: number;
  readonly repeats: number;
}

/**
 * What becomes of it.
 *
 * - `elsewhere`: nobody listened and no byte was sent, or the instance said that it did nothing with the request, so any
 *   request may go to another instance.
 * - `repeat`: it may be sent again, if the service's budget for repeats allows.
 * - `fail`: it must not be, or has been often enough.
 */
export function afterLoss(request: LostRequest): 'elsewhere' | 'repeat' | 'fail' {
  const { loss, reused } = request;
  if (loss.cause === 'connect') return request.connectAttempts < MAX_CONNECT_ATTEMPTS ? 'elsewhere' : 'fail';
  if (request.streamed || !request.whole) return 'fail';
  if (loss.unprocessed === true) return request.connectAttempts < MAX_CONNECT_ATTEMPTS ? 'elsewhere' : 'fail';
  if (!isIdempotent(request.method) || request.repeats >= MAX_REPEATS) return 'fail';
  if (loss.cause === 'malformed' || loss.answered) return 'fail';
  return reused || !request.hasBody ? 'repeat' : 'fail';
}
