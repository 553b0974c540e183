import { OPERATIONS, Problem } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { createApiClient } from './client.ts';
import { browserTokenStore, Session, type TokenStore } from './session.ts';
import { createSend, type Send } from './transport.ts';

const USER = {
  id: 'usr_01890a5d-ac96-774b-bcce-b302099a8057',
  email: 'ada@example.com',
  name: 'Ada',
  admin: false,
  createdAt: '2026-01-01T00:00:00.000Z',
};

const tokens = (number: number) => ({
  accessToken: `access-${number}`,
  tokenType: 'Bearer' as const,
  expiresInSeconds: 600,
  refreshToken: `refresh-${number}`,
  user: USER,
});

function memoryStore(token: string | null): TokenStore {
  let held = token;
  return {
    read: () => held,
    write: (next) => {
      held = next;
    },
    clear: () => {
      held = null;
    },
  };
}

function setUp(refresh: (refreshToken: string) => Response, stored: string | null = 'refresh-0') {
  const clock = { time: 0, now: () => 0, monotonic: () => clock.time };
  const asked: string[] = [];
  const fetchFn: typeof fetch = async (input, init) => {
    const { refreshToken } = JSON.parse(String(init?.body));
    asked.push(`${String(input)} ${refreshToken}`);
    return refresh(refreshToken);
  };
  const store = memoryStore(stored);
  const session = new Session({ send: createSend(fetchFn), store, clock, exclusive: (work) => work() });
  return { session, store, asked, clock };
}

const ok = (number: number) => Response.json(tokens(number));
const refused = () => Response.json(new Problem('auth.refresh_reused').toDetails(), { status: 401 });

test('a session is taken up with the stored refresh token, which is replaced', async () => {
  const { session, store } = setUp(() => ok(1));
  await session.start();
  expect(session.state()).toEqual({ kind: 'signed-in', user: USER });
  expect(store.read()).toBe('refresh-1');
  expect(await session.token()).toBe('access-1');
});

test('without a stored token nobody is asked', async () => {
  const { session, asked } = setUp(() => ok(1), null);
  await session.start();
  expect(session.state().kind).toBe('signed-out');
  expect(asked).toEqual([]);
});

test('however many need a token at once, one refresh is made', async () => {
  const { session, asked, clock } = setUp(() => ok(2));
  session.adopt(tokens(1));
  clock.time = 571_000;
  const got = await Promise.all([session.token(), session.token(), session.renew()]);
  expect(got).toEqual(['access-2', 'access-2', 'access-2']);
  expect(asked).toEqual(['/api/v1/auth/refresh refresh-1']);
});

test('a token is used until half a minute before its end', async () => {
  const { session, asked, clock } = setUp(() => ok(2));
  session.adopt(tokens(1));
  clock.time = 569_000;
  expect(await session.token()).toBe('access-1');
  clock.time = 570_000;
  expect(await session.token()).toBe('access-2');
  expect(asked).toHaveLength(1);
});

test('a refused refresh signs out; no answer does not', async () => {
  const lost = setUp(refused);
  await lost.session.start();
  expect(lost.session.state().kind).toBe('signed-out');
  expect(lost.store.read()).toBeNull();

  const away = setUp(() => new Response('bad gateway', { status: 502 }));
  await away.session.start();
  expect(away.session.state()).toMatchObject({ kind: 'unreachable', problem: { code: 'platform.unavailable' } });
  expect(away.store.read()).toBe('refresh-0');
});

test('a call that is answered 401 is sent once more with a new token', async () => {
  const { session } = setUp(() => ok(2));
  session.adopt(tokens(1));
  const sent: (string | null)[] = [];
  const send: Send = async (_operation, _parts, token) => {
    sent.push(token);
    if (token === 'access-1') throw new Problem('auth.invalid_token');
    return Response.json(USER);
  };
  const api = createApiClient({ send, session });
  expect(await api.call(OPERATIONS.getMe, {})).toEqual(USER);
  expect(sent).toEqual(['access-1', 'access-2']);
});

test('a body that the server would refuse is not sent', async () => {
  const { session } = setUp(() => ok(2));
  session.adopt(tokens(1));
  const send: Send = async () => {
    throw new TypeError('sent');
  };
  const api = createApiClient({ send, session });
  await expect(api.call(OPERATIONS.createProject, { body: { name: 'Bad Name' } })).rejects.toMatchObject({
    code: 'request.invalid',
    errors: [{ field: '/name' }],
  });
});

test('an answer that does not fit its schema is an error that names the operation', async () => {
  const { session } = setUp(() => ok(2));
  session.adopt(tokens(1));
  const api = createApiClient({ send: async () => Response.json({ ...USER, email: 5 }), session });
  await expect(api.call(OPERATIONS.getMe, {})).rejects.toMatchObject({
    code: 'platform.internal',
    detail: expect.stringContaining('getMe'),
  });
});

function fakeStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    clear: () => values.clear(),
    getItem: (key) => values.get(key) ?? null,
    key: (index) => [...values.keys()][index] ?? null,
    removeItem: (key) => {
      values.delete(key);
    },
    setItem: (key, value) => {
      values.set(key, value);
    },
  };
}

test.each([true, false])('remember: %s decides the storage, and a rotated token stays in it', (remember) => {
  const local = fakeStorage();
  const tab = fakeStorage();
  const store = browserTokenStore(local, tab);
  store.write('first', remember);
  store.write('second');
  expect([local.length, tab.length]).toEqual(remember ? [1, 0] : [0, 1]);
  expect(store.read()).toBe('second');
  store.clear();
  expect([local.length, tab.length]).toEqual([0, 0]);
});
