import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createFetchTransport, createHttpTransport } from './transport.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const echo: RequestListener = async (request, response) => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  response.writeHead(201, { 'x-method': request.method ?? '', 'x-sent': request.headers['x-sent'] ?? '' });
  response.end(body);
};

async function* pieces(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe.each([
  ['fetch', () => createFetchTransport(fetch)],
  ["Node's HTTP client", createHttpTransport],
])('by %s', (_, create) => {
  test('status, headers, and a body as text', async () => {
    const { url } = await serve(echo);
    const answer = await create()(url, { method: 'POST', headers: { 'x-sent': 'yes' }, body: 'hello' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('X-Method')).toBe('POST');
    expect(answer.headers.get('x-sent')).toBe('yes');
    expect(answer.headers.get('x-absent')).toBeNull();
    expect(await answer.text()).toBe('hello');
  });

  test('a streamed body is sent, and an answer is read in pieces', async () => {
    const { url } = await serve(echo);
    const answer = await create()(url, { method: 'PUT', headers: {}, body: pieces('one ', 'two ', 'three') });
    let text = '';
    for await (const chunk of answer.chunks()) text += Buffer.from(chunk).toString();
    expect(text).toBe('one two three');
  });

  test('an answer without a body has no pieces', async () => {
    const { url } = await serve((_request, response) => response.writeHead(204).end());
    const answer = await create()(url, { method: 'GET', headers: {} });
    for await (const chunk of answer.chunks()) expect.unreachable(String(chunk));
  });

  test('who gives up hears it, before the answer and in the middle of it', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/begun') response.writeHead(200).write('begun');
    });
    const before = new AbortController();
    const asked = create()(url, { method: 'GET', headers: {}, signal: before.signal });
    before.abort(new Error('gave up'));
    await expect(asked).rejects.toThrow('gave up');

    const within = new AbortController();
    const answer = await create()(`${url}begun`, { method: 'GET', headers: {}, signal: within.signal });
    const read = async () => {
      for await (const chunk of answer.chunks()) {
        expect(String(Buffer.from(chunk))).toBe('begun');
        within.abort(new Error('gave up'));
      }
    };
    await expect(read()).rejects.toThrow();
  });

  test('an answer that breaks off is an error', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const answer = await create()(url, { method: 'GET', headers: {} });
    await expect(answer.text()).rejects.toThrow();
  });

  test('nobody there is an error', async () => {
    const { server, url } = await serve(echo);
    await new Promise((resolve) => server.close(resolve));
    await expect(create()(url, { method: 'GET', headers: {} })).rejects.toThrow();
  });

  test('an idle connection that the service has closed costs a read nothing', async () => {
    const { server, url } = await serve(echo);
    const transport = create();
    for (let round = 0; round < 3; round += 1) {
      const answer = await transport(url, { method: 'GET', headers: {} });
      expect(await answer.text()).toBe('');
      server.closeAllConnections();
    }
  });
});
