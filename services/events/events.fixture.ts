import {
  type AnyEvent,
  type EventDraft,
  type EventEnvelope,
  type FeedAnswer,
  feedAnswer,
  LIVE_FEED,
  Problem,
} from '@skyrun/contracts';
import { type Authenticator, type Caller, systemClock as clock, isoTime, newId } from '@skyrun/kit';
import { io, type Socket } from 'socket.io-client';

let sequence = 0;

export function makeEvent<Draft extends EventDraft>(draft: Draft, at = clock.now()): AnyEvent {
  sequence += 1;
  return {
    ...draft,
    specversion: '1.0',
    id: newId('event', clock),
    source: '/skyrun/test',
    time: isoTime(at),
    datacontenttype: 'application/json',
    sequence,
  } as AnyEvent;
}

/** Any history event will do; `bytes` makes it heavy. */
export function deleted(project: string, mark: string, at = clock.now(), bytes = 2): AnyEvent {
  const digest = `sha256:${'0'.repeat(64)}`;
  const data = { id: newId('image', clock), project, name: mark, tag: 'v'.repeat(bytes), digest };
  return makeEvent({ type: 'skyrun.image.deleted.v1', subject: `images/${project}/${mark}`, project, data }, at);
}

/** An ephemeral event. */
export function cost(project: string): AnyEvent {
  const data = { project, currency: 'USD', exactTotal: '0', services: [] };
  return makeEvent({ type: 'skyrun.cost.updated.v1', subject: `projects/${project}`, project, data });
}

export interface Heard {
  readonly socket: Socket;
  readonly events: EventEnvelope[];
  readonly cursors: string[];
  readonly closing: { code: string }[];
  subscribe(scope: Record<string, unknown>): Promise<FeedAnswer>;
}

/** A live feed client made with the public package. */
export function hear(url: string, token: string, options: Record<string, unknown> = {}): Heard {
  const socket = io(url, {
    path: LIVE_FEED.path,
    auth: { token },
    transports: ['websocket'],
    forceNew: true,
    ...options,
  });
  const heard: Heard = {
    socket,
    events: [],
    cursors: [],
    closing: [],
    subscribe: async (scope) => feedAnswer.parse(await socket.timeout(30_000).emitWithAck(LIVE_FEED.subscribe, scope)),
  };
  socket.on(LIVE_FEED.event, (event: EventEnvelope, { cursor }: { cursor: string }) => {
    heard.events.push(event);
    heard.cursors.push(cursor);
  });
  socket.on(LIVE_FEED.closing, (problem: { code: string }) => heard.closing.push(problem));
  return heard;
}

/** Tokens of this test: `<user>:<projects with commas>[:expiry in Unix ms]`, where the project `*` makes an administrator. */
export function tokenBook(): Authenticator {
  return {
    async authenticate({ authorization }) {
      const [user, projects, expiry] = (authorization ?? '').replace('Bearer ', '').split(':');
      if (!user || projects === undefined) throw new Problem('auth.invalid_token');
      const expiresAt = expiry ? Number(expiry) : clock.now() + 600_000;
      if (expiresAt <= clock.now()) throw new Problem('auth.invalid_token');
      return { kind: 'user', userId: user, email: projects, admin: projects === '*', expiresAt } satisfies Caller;
    },
    async can(caller, permission, project) {
      if (!caller) return false;
      if (caller.admin) return true;
      return permission.startsWith('services.') && project !== null && caller.email.split(',').includes(project);
    },
  };
}
