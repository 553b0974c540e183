import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

export interface RecordedConnection {
  readonly socket: Socket;
  /** Everything received, latin-1. */
  received: string;
}

/** An instance as raw sockets: records every byte that reaches it and answers as the test says. */
export interface RecordingUpstream {
  readonly port: number;
  readonly connections: RecordedConnection[];
  /** All bytes of all connections, in order of connection. */
  received(): string;
  close(): Promise<void>;
}

export async function startUpstream(
  onData: (connection: RecordedConnection, chunk: Buffer) => void,
): Promise<RecordingUpstream> {
  const connections: RecordedConnection[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection: RecordedConnection = { socket, received: '' };
    connections.push(connection);
    socket.on('data', (chunk) => {
      connection.received += chunk.toString('latin1');
      onData(connection, chunk);
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    received: () => connections.map((connection) => connection.received).join(''),
    close: () =>
      new Promise((resolve) => {
        for (const { socket } of connections) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
