// The sample app: what a tenant might deploy. It runs in a container of its own, knows nothing of Skyrun but the
// container contract (PORT, K_*, SIGTERM), and has an endpoint for each thing one may want to watch the platform do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { env, exit, memoryUsage } from 'node:process';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { echoWebSocket, GOING_AWAY } from './websocket.ts';

/** A tenant's app reads its environment itself; the platform's rule of one door ends at the container. */
const environment = env;
const startedAt = performance.now();
let served = 0;
let inFlight = 0;
let stopping = false;
const sockets = new Set<Duplex>();

function number(query: URLSearchParams, name: string, fallback: number, maximum: number): number {
  const value = Number(query.get(name) ?? fallback);
  if (!Number.isFinite(value) || value < 0 || value > maximum) {
    throw new RangeError(`${name} must be a number from 0 to ${maximum}`);
  }
  return value;
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

const sendJson = (response: ServerResponse, body: unknown): void =>
  send(response, 200, 'application/json', `${JSON.stringify(body, null, 2)}\n`);

type Endpoint = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => Promise<void> | void;

const endpoints: Record<string, Endpoint> = {
  '/': (_request, response) => send(response, 200, 'text/html; charset=utf-8', page()),

  '/healthz': (_request, response) => send(response, 200, 'text/plain', 'ok\n'),

  // Burns CPU in slices, so that one core at 100 % still answers its health check.
  '/burn': async (_request, response, query) => {
    const ms = number(query, 'ms', 100, 60_000);
    let burned = 0;
    let value = 0;
    while (burned < ms && !response.destroyed) {
      const from = performance.now();
      while (performance.now() - from < Math.min(5, ms - burned)) value = Math.sqrt(value + 1);
      burned += performance.now() - from;
      await new Promise((resolve) => setImmediate(resolve));
    }
    sendJson(response, { burnedMs: Math.round(burned) });
  },

  '/hold': async (_request, response, query) => {
    const mib = number(query, 'mib', 16, 16_384);
    const ms = number(query, 'ms', 1_000, 600_000);
    // Written, not only reserved: untouched pages do not count as memory.
    const held = Array.from({ length: Math.floor(mib) }, () => Buffer.alloc(1_048_576, 1));
    await sleep(ms);
    sendJson(response, { heldMib: held.length, rssMib: Math.round(memoryUsage().rss / 1_048_576) });
  },

  '/sleep': async (_request, response, query) => {
    const ms = number(query, 'ms', 1_000, 3_600_000);
    await sleep(ms);
    sendJson(response, { sleptMs: ms });
  },

  '/stream': async (_request, response, query) => {
    const chunks = number(query, 'chunks', 10, 1_000_000);
    const intervalMs = number(query, 'intervalMs', 100, 60_000);
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
    for (let chunk = 1; chunk <= chunks && !response.destroyed; chunk += 1) {
      const flowing = response.write(`chunk ${chunk} of ${chunks}\n`);
      if (intervalMs > 0) await sleep(intervalMs);
      else if (!flowing) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end();
  },

  // Bytes of a given number, for throughput and egress.
  '/bytes': (_request, response, query) =>
    send(response, 200, 'application/octet-stream', Buffer.alloc(number(query, 'n', 1_024, 268_435_456), 0x61)),

  '/fail': (_request, response, query) => {
    const code = query.get('exit');
    if (code !== null) exit(Number(code) || 1);
    if (query.get('status') === 'exit') exit(1);
    const status = Math.trunc(number(query, 'status', 500, 599));
    send(response, Math.max(200, status), 'text/plain', `failing with ${status} as asked\n`);
  },

  '/echo': async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    sendJson(response, {
      method: request.method,
      url: request.url,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      environment,
      hostname: hostname(),
      body: Buffer.concat(chunks).toString('utf8'),
    });
  },
};

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function page(): string {
  const links = [
    '/echo',
    '/burn?ms=200',
    '/sleep?ms=1000',
    '/stream?chunks=20&intervalMs=100',
    '/hold?mib=32&ms=1000',
    '/fail?status=503',
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hello from ${escapeHtml(environment['K_SERVICE'] ?? 'Skyrun')}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem}
code{background:color-mix(in srgb,currentColor 10%,transparent);padding:.1em .3em;border-radius:4px}</style>
<h1>It works.</h1><p>This is <code>${escapeHtml(environment['K_SERVICE'] ?? 'sample')}</code>, revision <code>${escapeHtml(environment['K_REVISION'] ?? 'none')}</code>,
answered by <code>${escapeHtml(hostname())}</code>, up for ${((performance.now() - startedAt) / 1000).toFixed(1)} s with ${served} requests served.</p>
<p>Leave it alone and it scales to zero; the next request starts it again. Try:</p>
<ul>${links.map((link) => `<li><a href="${link}"><code>${escapeHtml(link)}</code></a></li>`).join('')}</ul></html>\n`;
}

const server = createServer((request, response) => {
  served += 1;
  inFlight += 1;
  response.once('close', () => {
    inFlight -= 1;
    // Its connection is kept alive otherwise, and the process would wait for the client to let go.
    if (stopping) setImmediate(() => server.closeIdleConnections());
  });
  const url = new URL(request.url ?? '/', 'http://sample');
  const endpoint = endpoints[url.pathname];
  if (endpoint === undefined) {
    send(response, 404, 'text/plain', `nothing at ${url.pathname}; see /\n`);
    return;
  }
  Promise.resolve()
    .then(() => endpoint(request, response, url.searchParams))
    .catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else send(response, error instanceof RangeError ? 400 : 500, 'text/plain', `${error.message}\n`);
    });
});

server.on('upgrade', (request, socket, head) => {
  if (new URL(request.url ?? '/', 'http://sample').pathname === '/ws') {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    echoWebSocket(request, socket, head);
  } else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
});

// A load balancer in front reuses connections for longer than Node's 5 s; closing first would race with its next request.
server.keepAliveTimeout = 620_000;
server.requestTimeout = 0;

const port = Number(environment['PORT'] ?? 8080);
server.listen(port, () =>
  console.log(JSON.stringify({ message: 'listening', port, ms: Math.round(performance.now()) })),
);

// As process 1 nothing ends us but ourselves: finish what is in flight, then go.
const stop = (signal: string): void => {
  console.log(JSON.stringify({ message: 'stopping', signal, inFlight }));
  stopping = true;
  for (const socket of sockets) socket.end(GOING_AWAY);
  server.close(() => exit(0));
  server.closeIdleConnections();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
