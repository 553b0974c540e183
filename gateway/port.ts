import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Connections that the kernel keeps for a socket until they are taken. */
const BACKLOG = 1024;
/**
 * Sockets that listen on one port. Node takes one connection from each in a turn of its event loop, however many wait (libuv's
 * pull request 3696). While hundreds of clients are served a turn takes 10 to 30 ms: from one socket they would be fifty a second.
 * A connection costs up to 0.1 ms, so that more of them in a turn would hold up those who are served already.
 */
const SOCKETS = 16;

/** A port of the gateway that clients connect to. */
export interface Port {
  /** Resolves when it listens. Rejects with EADDRINUSE and the like, and listens nowhere then. */
  open(): Promise<AddressInfo>;
  /** Takes nothing new; resolves when the last connection that it took has ended. May come while it opens. */
  close(): Promise<void>;
  /** Null where it does not listen. */
  address(): AddressInfo | null;
}

export function createPort(options: {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Whether several sockets may listen on it, of this process and of others. */
  readonly reusePort: boolean;
  /** Of each connection. */
  readonly socket: { readonly allowHalfOpen: boolean; readonly noDelay: boolean };
  readonly onConnection: (socket: Socket) => void;
}): Port {
  const { host, port, reusePort, socket, onConnection } = options;
  const [first, ...others] = Array.from({ length: reusePort ? SOCKETS : 1 }, () =>
    createServer(socket, onConnection),
  ) as [Server, ...Server[]];
  const listen = (server: Server, asked: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: asked, reusePort, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  const address = () => {
    const found = first.address();
    return typeof found === 'string' ? null : found;
  };
  const listenAll = async () => {
    await listen(first, port);
    const found = address();
    if (found === null) throw new Error(`port ${port} has no address`);
    // Each has succeeded or failed before anything is closed: one that opened later would be left open.
    const opened = await Promise.allSettled(others.map((server) => listen(server, found.port)));
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
    return found;
  };
  const closeAll = async () => {
    await Promise.all(
      [first, ...others]
        .filter((server) => server.listening)
        .map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  };
  let opening: Promise<unknown> | null = null;
  return {
    async open() {
      const listening = listenAll();
      opening = listening;
      try {
        return await listening;
      } catch (error) {
        await closeAll();
        throw error;
      } finally {
        opening = null;
      }
    },
    async close() {
      // What is about to listen can be closed only once it does; who opens hears of a failure.
      if (opening !== null) await opening.catch(() => undefined);
      await closeAll();
    },
    address,
  };
}
