import { connect } from 'node:tls';
import { FRAME, frame } from './h2c-instance.ts';
import type { TlsGateway } from './tls-gateway.ts';

interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client of HTTP/2 that writes frames by hand, right or wrong, and keeps those that come. */
export interface RawHttp2Client {
  readonly closed: boolean;
  of(stream: number): readonly ReceivedFrame[];
  write(...frames: readonly Buffer[]): void;
  destroy(): void;
}

export function openRawHttp2(edge: TlsGateway, servername: string): RawHttp2Client {
  const socket = connect({ host: '127.0.0.1', port: edge.tlsPort, servername, ca: edge.ca, ALPNProtocols: ['h2'] });
  const frames: ReceivedFrame[] = [];
  let closed = false;
  let pending = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 9) {
      const size = pending.readUIntBE(0, 3);
      if (pending.length < 9 + size) return;
      frames.push({
        type: pending.readUInt8(3),
        flags: pending.readUInt8(4),
        stream: pending.readUInt32BE(5),
        payload: pending.subarray(9, 9 + size),
      });
      pending = pending.subarray(9 + size);
    }
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)));
  return {
    get closed() {
      return closed;
    },
    of: (stream) => frames.filter((each) => each.stream === stream),
    write(...written) {
      socket.write(Buffer.concat(written));
    },
    destroy: () => socket.destroy(),
  };
}
