import { connect } from 'node:net';

export interface RawAnswer {
  /** Everything the gateway sent, latin-1. */
  readonly text: string;
  /** How the connection ended; `open` when it did not within the time. */
  readonly ended: 'end' | 'reset' | 'open';
}

/**
 * Sends bytes, in pieces with a turn of the event loop between them, and gathers what comes back until the gateway
 * ends the connection, `until` holds, or `waitMs` are over.
 */
export function exchangeRaw(
  port: number,
  pieces: readonly (string | Buffer)[],
  options: { waitMs?: number; until?: (text: string) => boolean } = {},
): Promise<RawAnswer> {
  const { waitMs = 10_000, until = () => false } = options;
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const finish = (ended: RawAnswer['ended']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, ended });
    };
    const timer = setTimeout(() => finish('open'), waitMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until(text)) finish('open');
    });
    socket.on('end', () => finish('end'));
    socket.on('error', () => finish('reset'));
    socket.on('connect', () => {
      const send = (index: number) => {
        const piece = pieces[index];
        if (piece === undefined || socket.destroyed) return;
        socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, () =>
          setImmediate(() => send(index + 1)),
        );
      };
      send(0);
    });
  });
}

/** The status of the first response in a text; 0 where there is none. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}
