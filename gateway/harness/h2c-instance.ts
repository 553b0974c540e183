import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

export type StreamHandler = (stream: ServerHttp2Stream, request: H2cRequest) => void;

export interface H2cRequest {
  readonly path: string;
  /** Name, value, name, value, … as they came. */
  readonly raw: readonly string[];
  header(name: string): string | undefined;
}

export interface H2cInstance {
  readonly port: number;
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
  close(): Promise<void>;
}

/** An instance that speaks HTTP/2 with prior knowledge, by Node's own server. */
export async function startH2c(
  handler: StreamHandler,
  settings: { maxConcurrentStreams?: number } = {},
): Promise<H2cInstance> {
  const server = createServer({ settings });
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw: string[]) => {
    stream.on('error', () => undefined);
    handler(stream, {
      path: String(headers[':path']),
      raw,
      header: (name) => (headers[name] === undefined ? undefined : String(headers[name])),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sessions,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Frame types of RFC 9113 §6, as far as tests write them. */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 } as const;
export const END_STREAM = 1;
const END_HEADERS = 4;

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A HEADERS frame whose fields are written out (HPACK literals without indexing), right or wrong. */
export function headersFrame(stream: number, fields: readonly (readonly [string, string])[], flags = 0): Buffer {
  const literals = fields.map(([name, value]) =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name, 'latin1'),
      Buffer.from([value.length]),
      Buffer.from(value, 'latin1'),
    ]),
  );
  return frame(FRAME.headers, END_HEADERS | flags, stream, Buffer.concat(literals));
}

export function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => {
    bytes.writeUInt32BE(number, 4 * index);
  });
  return bytes;
}

/**
 * An instance as raw HTTP/2 frames: `answer` is called for each request of a connection with the number of its stream,
 * and may write whatever it likes.
 */
export async function startRawH2c(
  answer: (socket: Socket, stream: number, nth: number) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createTcpServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)));
    let pending = Buffer.alloc(0);
    let preface = 24;
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (preface > 0 && pending.length >= preface) {
        pending = pending.subarray(preface);
        preface = 0;
      }
      while (preface === 0 && pending.length >= 9) {
        const size = pending.readUIntBE(0, 3);
        if (pending.length < 9 + size) return;
        const type = pending[3];
        const flags = pending[4] ?? 0;
        const stream = pending.readUInt32BE(5);
        pending = pending.subarray(9 + size);
        if (type === FRAME.settings && (flags & 1) === 0) socket.write(frame(FRAME.settings, 1, 0, Buffer.alloc(0)));
        if (type === FRAME.headers) {
          requests += 1;
          answer(socket, stream, requests);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
