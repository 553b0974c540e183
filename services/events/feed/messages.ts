import { type EventEnvelope, type FeedAnswer, feedSubscription, type ProblemDetails } from '@skyrun/contracts';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { z } from 'zod';
import type { FeedSession } from './session.ts';

type Acknowledge = (answer: FeedAnswer) => void;

/** Nothing that comes from a client is what it should be until a schema says so. */
export interface ClientMessages {
  subscribe: (message: unknown, acknowledge: unknown) => void;
  unsubscribe: (message: unknown, acknowledge: unknown) => void;
  authenticate: (message: unknown, acknowledge: unknown) => void;
}

export interface ServerMessages {
  event: (event: EventEnvelope, place: { cursor: string }) => void;
  closing: (problem: ProblemDetails) => void;
}

interface SocketData {
  session?: FeedSession;
}

export type FeedServer = Server<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>;
export type FeedSocket = Socket<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>;

export const subscribeMessage = feedSubscription;
export const unsubscribeMessage = feedSubscription;
export const authenticateMessage = z.strictObject({ token: z.string().min(1).max(16_384) });
export const handshakeAuth = z.object({ token: z.string().min(1).max(16_384) });

/** A client may leave the acknowledgement out. */
export function acknowledgement(given: unknown): Acknowledge {
  return typeof given === 'function' ? (answer) => void given(answer) : () => undefined;
}
