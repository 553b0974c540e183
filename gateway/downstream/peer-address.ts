import type { Socket } from 'node:net';

/** The peer's address; an IPv4 address in its own form where the listener speaks IPv6. */
export function peerAddress(socket: Pick<Socket, 'remoteAddress'>): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
