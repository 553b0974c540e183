import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Clock } from '@skyrun/kit';

/**
 * What a link does to the bytes that pass:
 * - open: nothing;
 * - cut: connections are reset, and new ones as soon as they come;
 * - frozen: connections stay and nothing arrives, as behind a firewall that drops; opened again, everything arrives late;
 * - slow: each piece waits `delayMs`, and no more than `bytesPerSecond` pass.
 */
export type LinkMode =
  | { readonly kind: 'open' | 'cut' | 'frozen' }
  | { readonly kind: 'slow'; readonly delayMs: number; readonly bytesPerSecond: number };

/** The way from one party to one server: a TCP proxy on this machine that can be hurt while it is used. */
export interface Link {
  readonly name: string;
  /** Where the party is told that the server is. */
  readonly port: number;
  set(mode: LinkMode): void;
  close(): Promise<void>;
}

export async function openLink(name: string, targetPort: number, clock: Clock): Promise<Link> {
  let mode: LinkMode = { kind: 'open' };
  let changed = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // The other end's death is what this is for; each side is told by the other one's close.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  /** Resolves when a piece of `bytes` may pass; one piece at a time in each direction, so the order holds. */
  const passage = async (bytes: number) => {
    while (mode.kind === 'frozen') await changed.promise;
    if (mode.kind === 'slow') await clock.sleep(mode.delayMs + (bytes / mode.bytesPerSecond) * 1_000);
  };
  const forward = (from: Socket, to: Socket) => {
    const pass = async (piece: Buffer) => {
      from.pause();
      await passage(piece.length);
      if (to.destroyed) return;
      if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      from.resume();
    };
    from.on('data', (piece) => {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      // Nothing in the way of this piece: no detour through the event loop.
      if (mode.kind === 'open' && to.writableLength < 65_536) to.write(bytes);
      else pass(bytes).catch(() => from.destroy());
    });
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (mode.kind === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true });
    keep(upstream);
    forward(client, upstream);
    forward(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');

  return {
    name,
    port: address.port,
    set(next) {
      mode = next;
      if (mode.kind === 'cut') for (const socket of sockets) socket.resetAndDestroy();
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
