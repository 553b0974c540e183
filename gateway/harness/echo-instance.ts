import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an instance saw of a request, as Node's own parser reads it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

export interface EchoInstance {
  readonly port: number;
  readonly server: Server;
  readonly seen: Seen[];
  /** Raw bytes received, latin-1. */
  received(): string;
  reset(): void;
  close(): Promise<void>;
}

/** Answers every request with what it saw of it, as JSON; `X-Mark` names the request it answers. */
export async function startEcho(): Promise<EchoInstance> {
  const seen: Seen[] = [];
  let bytes = '';
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders, trailers } = request;
      const what: Seen = { method, url, headers, rawHeaders, body, trailers };
      seen.push(what);
      response.writeHead(200, { 'content-type': 'application/json', 'x-mark': String(headers['x-mark'] ?? '') });
      response.end(JSON.stringify(what));
    });
  });
  server.on('connection', (socket) => {
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    seen,
    received: () => bytes,
    reset() {
      bytes = '';
      seen.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
