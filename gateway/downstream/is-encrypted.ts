import type { Socket } from 'node:net';

/**
 * Whether a socket is one of TLS, by the property that Node documents for it: `instanceof TLSSocket` loads Node's TLS, 2 MiB, also
 * where nobody speaks it.
 */
export function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket;
}
