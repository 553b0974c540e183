import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servicePolicy } from '@skyrun/contracts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { billingWith } from '../harness/unit-prices.ts';

const HOST = 'open.demo.localhost';
const BODY = ['first ', 'second ', 'third'];
/** What the instance takes between its head and its last byte, at least, in ms. */
const BODY_MS = 220;

const instance = createServer((asked, response) => {
  if (asked.url === '/length') {
    response.end('whole');
    return;
  }
  if (asked.url === '/trailers') response.setHeader('trailer', 'x-sum');
  if (asked.url === '/close') response.useChunkedEncodingByDefault = false;
  void answer(asked.url ?? '', response);
});

async function answer(path: string, response: ServerResponse): Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, BODY_MS / 2));
  response.write(BODY[0]);
  await pause();
  response.write(BODY[1]);
  await pause();
  response.write(BODY[2]);
  if (path === '/trailers') response.addTrailers({ 'x-sum': '42' });
  response.end();
}

interface Answer {
  readonly head: string;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly announced: string;
}

let directory: string;
let running: RunningGateway;
let securePort = 0;
let ca = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-cost-'));
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const { port } = instance.address() as AddressInfo;
  const open = { ...route([target([port])], HOST), policy: servicePolicy.parse({ showCost: true }) };
  const closed = route([target([port], { revisionId: 'rev_01890000-0000-7000-8000-0000000000c1' })], `closed.${HOST}`);
  const developmentDir = join(directory, 'development');
  running = await startGateway([open, closed], {
    billing: billingWith('0.000024'),
    tls: { port: 0, certificateDir: join(directory, 'certificates'), developmentDir, acme: null },
  });
  securePort = running.gateway.tlsAddress().port;
  ca = await readFile(join(developmentDir, 'ca.crt'), 'utf8');
  await vi.waitFor(async () => expect((await overHttp1('/length')).head).not.toBe(''), { timeout: 10_000 });
});
afterAll(async () => {
  await running.close();
  instance.closeAllConnections();
  await new Promise((resolve) => instance.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

function overHttp1(path: string, { host = HOST, ask = true } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...(ask ? { 'skyrun-cost': '1' } : {}) };
    request({ host: '127.0.0.1', port: running.port, path, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (piece) => {
        body += String(piece);
      });
      response.on('error', reject).on('end', () => {
        const { headers: got, trailers } = response;
        resolve({ head: String(got['skyrun-cost'] ?? ''), body, trailers, announced: String(got['trailer'] ?? '') });
      });
    })
      .on('error', reject)
      .end();
  });
}

function overHttp2(path: string, ask = true): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${securePort}`, { ca, servername: HOST });
    session.on('error', reject);
    const stream = session.request({ ':path': path, ':authority': HOST, ...(ask ? { 'skyrun-cost': '1' } : {}) });
    let head = '';
    let announced = '';
    let body = '';
    let trailers: Answer['trailers'] = {};
    stream
      .on('response', (headers) => {
        head = String(headers['skyrun-cost'] ?? '');
        announced = String(headers['trailer'] ?? '');
      })
      .on('trailers', (headers) => {
        trailers = { ...headers };
      })
      .on('data', (piece) => {
        body += String(piece);
      })
      .on('error', reject)
      .on('end', () => session.close(() => resolve({ head, body, trailers, announced })));
    stream.end();
  });
}

function expectFinal(answer: Answer): void {
  expect(answer.announced.toLowerCase()).toContain('skyrun-cost');
  const match = /^(\S+) USD; until=end; ms=(\d+)$/.exec(String(answer.trailers['skyrun-cost']));
  const ms = Number(match?.[2]);
  // A timer may be early by the millisecond.
  expect(ms, JSON.stringify(answer)).toBeGreaterThanOrEqual(BODY_MS - 3);
  // 1 vCPU and 512 MiB for every begun 100 ms, and 0.40 for a million requests.
  expect(Number(match?.[1])).toBeCloseTo(Math.ceil(ms / 100) * 0.000002525 + 0.0000004, 12);
}

test.each(['/chunked', '/trailers', '/close'])('%s over HTTP/1.1 ends with what it cost in the end', async (path) => {
  const answer = await overHttp1(path);
  expect(answer.body).toBe(BODY.join(''));
  expectFinal(answer);
  expect(answer.trailers['x-sum']).toBe(path === '/trailers' ? '42' : undefined);
});

test.each(['/chunked', '/trailers'])('%s over HTTP/2 ends with what it cost in the end', async (path) => {
  const answer = await overHttp2(path);
  expect(answer.body).toBe(BODY.join(''));
  expectFinal(answer);
  expect(answer.trailers['x-sum']).toBe(path === '/trailers' ? '42' : undefined);
});

test('a body of known length over HTTP/1.1 has no room for trailers', async () => {
  const answer = await overHttp1('/length');
  expect(answer).toMatchObject({ body: 'whole', trailers: {}, announced: '' });
  expect(answer.head).toContain('until=head');
});

test('nobody else is told: not who does not ask, nor where the service says nothing', async () => {
  const unasked = await Promise.all([
    overHttp1('/trailers', { ask: false }),
    overHttp1('/trailers', { host: `closed.${HOST}` }),
    overHttp2('/trailers', false),
  ]);
  for (const answer of unasked) {
    expect(answer).toMatchObject({ head: '', body: BODY.join('') });
    expect(JSON.parse(JSON.stringify(answer.trailers))).toEqual({ 'x-sum': '42' });
  }
});
