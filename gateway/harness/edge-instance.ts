import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpInstance {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

export async function startHttpInstance(listener: RequestListener): Promise<HttpInstance> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

export interface EdgeInstance extends HttpInstance {
  /** Paths whose response was broken off by who asked. */
  readonly aborted: readonly string[];
  /** Paths that were asked for. */
  readonly asked: readonly string[];
}

/** Answers by its path: bodies of every framing, trailers, a response that breaks off, one that never ends. */
export async function startEdgeInstance(): Promise<EdgeInstance> {
  const aborted: string[] = [];
  const asked: string[] = [];
  const instance = await startHttpInstance(async (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path === '/echo') {
      const body = await readAll(request);
      response.writeHead(200, { 'content-length': body.length, 'x-framing': framing(request) });
      response.end(body);
    } else if (path === '/headers') {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(JSON.stringify({ version: request.httpVersion, headers: request.headers }));
    } else if (path === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('content');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    } else if (path === '/large') {
      response.writeHead(200);
      for (let piece = 0; piece < 64; piece += 1) response.write(Buffer.alloc(65_536, piece));
      response.end();
    } else if (path === '/cut') {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('too little');
      setTimeout(() => response.destroy(), 20);
    } else if (path.startsWith('/slow')) {
      response.on('close', () => {
        if (!response.writableFinished) aborted.push(path);
      });
    } else if (path === '/empty') response.writeHead(204).end();
    else response.end('ok');
  });
  return { ...instance, aborted, asked };
}

function framing(request: IncomingMessage): string {
  return request.headers['transfer-encoding'] ?? `length ${request.headers['content-length'] ?? 'none'}`;
}
