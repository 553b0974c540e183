import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { ClientConnection } from '../downstream/connection.ts';
import { peerAddress } from '../downstream/peer-address.ts';
import type { ConnectionGate } from '../limit/connection-gate.ts';
import type { GatewayCore } from '../pipeline/core.ts';
import type { Certificates } from './certificates.ts';
import type { KeyPair } from './development-authority.ts';
import { Http2Session } from './http2-session.ts';

const HANDSHAKE_MS = 10_000;

/**
 * Takes connections that nobody has read from, whichever port accepted them: a certificate by SNI, then HTTP/2 or HTTP/1.1 as
 * ALPN has agreed.
 */
export function createTlsAcceptor(
  core: GatewayCore,
  options: { gate: ConnectionGate; certificates: Certificates; fallback: KeyPair | null },
): (socket: Socket) => void {
  const { gate, certificates, fallback } = options;
  const server = createServer(
    {
      ...(fallback === null ? {} : { cert: fallback.certificate, key: fallback.key }),
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      handshakeTimeout: HANDSHAKE_MS,
      SNICallback: (servername, done) => {
        certificates.find(servername).then(
          (context) =>
            context === null ? done(new Error(`no certificate for ${servername.slice(0, 255)}`)) : done(null, context),
          (error: Error) => done(error),
        );
      },
    },
    (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') {
        // The plain port's are half-open; Node's sessions would never end with a client that only ends the connection.
        socket.allowHalfOpen = false;
        new Http2Session(core, { socket, address: peerAddress(socket), protocol: 'https' });
      } else new ClientConnection(core, socket);
    },
  );
  // Before TLS costs anything.
  server.prependListener('connection', (socket: Socket) => gate.admits(socket));
  server.on('tlsClientError', (_error, socket) => {
    core.stats.handshakeErrors += 1;
    socket.destroy();
  });
  return (socket) => {
    server.emit('connection', socket);
  };
}
