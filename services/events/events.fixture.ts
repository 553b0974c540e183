import {
  type AnyEvent,
  type EventDraft,
  type EventEnvelope,
  type FeedAnswer,
  feedAnswer,
  LIVE_FEED,
  Problem,
} from '@skyrun/contracts';
import {
  type Authenticator,
  type Caller,
  systemClock as clock,
  createHttpServer,
  createMetrics,
  createTokenAuthenticator,
  isoTime,
  newId,
  type ServiceModule,
  silentLogger,
} from '@skyrun/kit';
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

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Parts {
  readonly modules: readonly ServiceModule[];
  readonly authenticator: Authenticator;
}

/** Listens on a free port, then starts the modules in order. `url` may be asked once it listens. */
export async function serve(create: (url: () => string) => Parts): Promise<Served> {
  let url = '';
  const { modules, authenticator } = create(() => url);
  const http = createHttpServer({
    modules,
    authenticator,
    logger: silentLogger,
    clock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  const { port } = await http.listen();
  url = `http://127.0.0.1:${port}`;
  for (const module of modules) await module.start();
  return {
    url,
    async stop() {
      const closed = http.close(500);
      for (const module of modules) {
        await module.stop();
        await module.stop();
      }
      await closed;
    },
  };
}

/** Verifies the tokens of an identity service whose address is not known yet. */
export function tokensOf(url: () => string, internalToken: string): Authenticator {
  let made: Authenticator | undefined;
  const real = () => {
    made ??= createTokenAuthenticator({ identityUrl: url(), internalToken, clock });
    return made;
  };
  return {
    authenticate: (headers) => real().authenticate(headers),
    can: (caller, permission, project) => real().can(caller, permission, project),
  };
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
    subscribe: async (scope) => feedAnswer.parse(await socket.timeout(10_000).emitWithAck(LIVE_FEED.subscribe, scope)),
  };
  socket.on(LIVE_FEED.event, (event: EventEnvelope, { cursor }: { cursor: string }) => {
    heard.events.push(event);
    heard.cursors.push(cursor);
  });
  socket.on(LIVE_FEED.closing, (problem: { code: string }) => heard.closing.push(problem));
  return heard;
}

export async function until(check: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = clock.monotonic() + limitMs;
  while (clock.monotonic() < end) {
    if (await check()) return;
    await clock.sleep(25);
  }
  throw new Error(`it did not happen within ${limitMs} ms`);
}

export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('expected a problem');
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
