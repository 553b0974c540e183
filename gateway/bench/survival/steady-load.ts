import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { HOST } from '../peers.ts';

/** One request of a load. Times are those of `performance.now()`, in ms. */
export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly at: number;
  readonly endedAt: number;
  /** When its connection stood; null where none came about. */
  readonly connectedAt: number | null;
  /** Null where there was no answer, or no whole one. */
  readonly status: number | null;
  /** Code of the gateway's own answer, or of the connection's error; '' for everything else. */
  readonly problem: string;
}

export interface SteadyLoad {
  /** Sends no more; resolves with every request when the last has ended. */
  stop(): Promise<readonly Sent[]>;
}

const TICK_MS = 4;

/** Requests at a fixed rate, however long the answers take, over connections that are kept and used in turn. */
export function startSteadyLoad(options: {
  port: number;
  ratePerSecond: number;
  path: string;
  /** In turn. */
  methods: readonly ('GET' | 'POST')[];
}): SteadyLoad {
  const agent = new Agent({ keepAlive: true, scheduling: 'fifo', maxFreeSockets: 1000 });
  const connected = new WeakMap<Socket, number>();
  const all: Promise<Sent>[] = [];
  const begun = performance.now();
  const send = (method: 'GET' | 'POST') =>
    new Promise<Sent>((resolve) => {
      const at = performance.now();
      let socket: Socket | null = null;
      let body = '';
      let broke = '';
      const done = (status: number | null) =>
        resolve({
          method,
          at,
          endedAt: performance.now(),
          connectedAt: socket === null ? null : (connected.get(socket) ?? null),
          status,
          problem: /"code":"([^"]+)"/.exec(body)?.[1] ?? broke,
        });
      const { port, path } = options;
      const asked = request({ host: '127.0.0.1', port, path, method, agent, headers: { host: HOST } }, (response) => {
        response.setEncoding('latin1').on('data', (text: string) => {
          if (response.statusCode !== 200) body += text;
        });
        response.once('close', () => done(response.complete ? (response.statusCode ?? null) : null));
      });
      asked.once('socket', (used) => {
        socket = used;
        if (!connected.has(used)) used.once('connect', () => connected.set(used, performance.now()));
      });
      asked.once('error', (error: NodeJS.ErrnoException) => {
        broke = error.code ?? error.message;
        done(null);
      });
      asked.end(method === 'POST' ? 'a body' : undefined);
    });
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1000) * options.ratePerSecond);
    while (all.length < due) all.push(send(options.methods[all.length % options.methods.length] ?? 'GET'));
  }, TICK_MS);
  return {
    async stop() {
      clearInterval(timer);
      const sent = await Promise.all(all);
      agent.destroy();
      return sent;
    },
  };
}
