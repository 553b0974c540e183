import type { Socket } from 'node:net';
import { startUpstream } from './upstream.ts';

/** A request that came, and its connection to the instance. */
export interface Arrival {
  readonly socket: Socket;
  /** Resolves with `performance.now()` of the connection's end. */
  readonly closed: Promise<number>;
}

/** An instance that ends no response: it says nothing, or for a path below `/stream` the head and some of the body. */
export interface AbortInstance {
  readonly port: number;
  /** The next request to that path; each path is asked once. */
  arrival(path: string): Promise<Arrival>;
  close(): Promise<void>;
}

export async function startAbortInstance(): Promise<AbortInstance> {
  const awaited = new Map<string, (arrival: Arrival) => void>();
  const upstream = await startUpstream(({ socket }, chunk) => {
    const [, path = ''] = /^[A-Z]+ (\/\S*) HTTP/.exec(chunk.toString('latin1')) ?? [];
    if (path.startsWith('/stream')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\npart');
    const closed = new Promise<number>((resolve) => {
      socket.once('close', () => resolve(performance.now()));
    });
    awaited.get(path)?.({ socket, closed });
  });
  return {
    port: upstream.port,
    arrival: (path) =>
      new Promise((resolve) => {
        awaited.set(path, resolve);
      }),
    close: upstream.close,
  };
}
