import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface Frame {
  readonly first: number;
  readonly opcode: number;
  readonly payload: Buffer;
  readonly bytes: number;
}

/** The first whole client frame in `buffer` (RFC 6455 §5.2), unmasked; null while bytes are missing. */
export function readFrame(buffer: Buffer): Frame | null {
  if (buffer.length < 2) return null;
  const first = buffer.readUInt8(0);
  const short = buffer.readUInt8(1) & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const maskAt = 2 + lengthBytes;
  if (buffer.length < maskAt + 4) return null;
  const length = short === 127 ? Number(buffer.readBigUInt64BE(2)) : short === 126 ? buffer.readUInt16BE(2) : short;
  const start = maskAt + 4;
  if (buffer.length < start + length) return null;
  const mask = buffer.subarray(maskAt, start);
  const payload = Buffer.from(buffer.subarray(start, start + length));
  for (let index = 0; index < length; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return { first, opcode: first & 0x0f, payload, bytes: start + length };
}

/** A server frame with the same first byte (FIN, opcode), unmasked. */
export function writeFrame(first: number, payload: Buffer): Buffer {
  const length = payload.length;
  const head = Buffer.alloc(length > 65_535 ? 10 : length > 125 ? 4 : 2);
  head.writeUInt8(first, 0);
  if (length > 65_535) {
    head.writeUInt8(127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  } else if (length > 125) {
    head.writeUInt8(126, 1);
    head.writeUInt16BE(length, 2);
  } else head.writeUInt8(length, 1);
  return Buffer.concat([head, payload]);
}

/** A close frame with code 1001: the server is going away. */
export const GOING_AWAY = writeFrame(0x80 | CLOSE, Buffer.from([0x03, 0xe9]));

/** Accept the upgrade and send every frame back as it came, fragmentation included. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, early: Buffer): void {
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let pending = Buffer.from(early);
  const drain = (): void => {
    for (let frame = readFrame(pending); frame !== null; frame = readFrame(pending)) {
      pending = pending.subarray(frame.bytes);
      if (frame.opcode === PONG) continue;
      const first = frame.opcode === PING ? 0x80 | PONG : frame.first;
      if (!socket.write(writeFrame(first, frame.payload))) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
      if (frame.opcode === CLOSE) {
        socket.end();
        return;
      }
    }
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    drain();
  });
  drain();
}
