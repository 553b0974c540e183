import { once } from 'node:events';
import { connect } from 'node:net';
import { defineOperation, type Permission, Problem } from '@skyrun/contracts';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Authenticator } from '../auth/authenticator.ts';
import { systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import type { ServiceModule } from '../service.ts';
import { type Api, createApi, reply } from './api.ts';
import { createClient } from './client.ts';
import { createHttpServer, type HttpServer } from './server.ts';

const echo = defineOperation('echo', {
  service: 'registry',
  method: 'post',
  path: '/api/v1/projects/{project}/echo',
  summary: 'Echo',
  permission: 'services.write',
  params: z.object({ project: z.string() }),
  query: z.object({ times: z.coerce.number().int().max(3).default(1) }),
  body: z.strictObject({ text: z.string() }),
  response: z.object({ text: z.string() }),
});
const count = defineOperation('count', {
  service: 'registry',
  method: 'get',
  path: '/api/v1/count',
  summary: 'Count',
  permission: 'public',
  query: z.object({ to: z.coerce.number().int() }),
  response: z.object({ n: z.int() }),
  streaming: true,
});

const authenticator: Authenticator = {
  async authenticate(headers) {
    if (headers.authorization === undefined) return null;
    if (headers.authorization !== 'Bearer good') throw new Problem('auth.invalid_token');
    return { kind: 'user', userId: 'usr_1', email: 'a@b.c', admin: false, expiresAt: Number.POSITIVE_INFINITY };
  },
  can: async (_caller, permission, project) => permission === 'services.write' && project === 'mine',
};

let http: HttpServer | undefined;
afterEach(() => http?.close(100));

async function serve(bind: (api: Api) => void, module: Partial<ServiceModule> = {}): Promise<string> {
  const api = createApi();
  bind(api);
  const ready = () => ({ ok: true, checks: {} });
  http = createHttpServer({
    modules: [{ name: 'test', api, start: async () => undefined, stop: async () => undefined, ready, ...module }],
    authenticator,
    logger: silentLogger,
    clock: systemClock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  return `http://127.0.0.1:${(await http.listen()).port}`;
}

const bindEcho = (api: Api) =>
  api.handle(echo, ({ body, query }) => reply({ text: body.text.repeat(query.times) }, { headers: { etag: '"1"' } }));

test('a bound operation answers a typed client', async () => {
  const baseUrl = await serve(bindEcho);
  const client = createClient({ baseUrl, token: () => 'good' });
  const answer = await client.send(echo, { params: { project: 'mine' }, query: { times: 2 }, body: { text: 'ab' } });
  expect(answer.body).toEqual({ text: 'abab' });
  expect(answer.headers.get('etag')).toBe('"1"');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test.each([
  ['no token', { project: 'mine', token: null, body: { text: 'x' } }, 'auth.required', 401],
  ['bad token', { project: 'mine', token: 'bad', body: { text: 'x' } }, 'auth.invalid_token', 401],
  ['another project', { project: 'other', token: 'good', body: { text: 'x' } }, 'auth.forbidden', 403],
  ['wrong body', { project: 'mine', token: 'good', body: { text: 1 } }, 'request.invalid', 400],
  ['unknown field', { project: 'mine', token: 'good', body: { text: 'x', more: 1 } }, 'request.invalid', 400],
])('%s is refused with a problem', async (_, { project, token, body }, code, status) => {
  const baseUrl = await serve(bindEcho);
  const response = await fetch(`${baseUrl}/api/v1/projects/${project}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toMatchObject({ code, status });
});

test('a bad request names the field, the place and what was expected', async () => {
  const baseUrl = await serve(bindEcho);
  const client = createClient({ baseUrl, token: () => 'good' });
  const call = client.call(echo, { params: { project: 'mine' }, query: { times: 9 }, body: { text: 'x' } });
  await expect(call).rejects.toMatchObject({ code: 'request.invalid', errors: [{ field: '#query/times' }] });
});

test('a body is not read from one who may not send it', async () => {
  const baseUrl = await serve(bindEcho);
  const response = await fetch(`${baseUrl}/api/v1/projects/mine/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{broken',
  });
  expect(response.status).toBe(401);
});

test('an error inside tells nothing outside', async () => {
  const baseUrl = await serve((api) =>
    api.handle(echo, () => {
      throw new Error('password is hunter2');
    }),
  );
  const client = createClient({ baseUrl, token: () => 'good' });
  const call = client.call(echo, { params: { project: 'mine' }, body: { text: 'x' } });
  await expect(call).rejects.toMatchObject({ code: 'platform.internal', message: 'Something went wrong' });
});

test('a database that is away is 503 with Retry-After', async () => {
  const baseUrl = await serve((api) =>
    api.handle(echo, () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    }),
  );
  const client = createClient({ baseUrl, token: () => 'good' });
  const call = client.call(echo, { params: { project: 'mine' }, body: { text: 'x' } });
  await expect(call).rejects.toMatchObject({ code: 'platform.unavailable', status: 503, retryAfterSeconds: 1 });
});

test('a streaming operation sends line by line, and a client that leaves ends the source', async () => {
  let ended = false;
  const baseUrl = await serve((api) =>
    api.handle(count, async function* ({ query }) {
      try {
        for (let n = 0; n < query.to; n += 1) yield { n };
      } finally {
        ended = true;
      }
    }),
  );
  const client = createClient({ baseUrl });
  const all: number[] = [];
  for await (const { n } of client.stream(count, { query: { to: 5 } })) all.push(n);
  expect(all).toEqual([0, 1, 2, 3, 4]);

  ended = false;
  const { port } = new URL(baseUrl);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /api/v1/count?to=100000000 HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => ended, { timeout: 3000 }).toBe(true);
});

test('an operation without a known permission fails to mount', async () => {
  const open = { ...echo, id: 'open', permission: 'unheard-of' as Permission };
  await expect(serve((api) => api.handle(open, () => ({ text: '' })))).rejects.toThrow(/permission/);
});

test('readiness joins the modules and answers 503 while one is not ready', async () => {
  const baseUrl = await serve(() => undefined, { ready: () => ({ ok: false, checks: { database: 'down' } }) });
  const response = await fetch(`${baseUrl}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ ok: false, checks: { 'test.database': 'down' } });
});
