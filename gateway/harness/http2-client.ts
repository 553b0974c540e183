import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';

export interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
  readonly code: number;
}

/** One request on a session, and all that comes back. */
export function send(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body: readonly Buffer[] = [],
): Promise<Http2Answer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/', ...headers }, { endStream: body.length === 0 });
    const pieces: Buffer[] = [];
    let answer: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (received) => {
      answer = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({ headers: answer, body: Buffer.concat(pieces), trailers, code: stream.rstCode ?? 0 }),
    );
    if (body.length > 0) {
      for (const piece of body) stream.write(piece);
      stream.end();
    }
  });
}
