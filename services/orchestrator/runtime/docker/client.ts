import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import type { MayAct } from '../runtime.ts';

const sender = new AsyncLocalStorage<MayAct>();

/**
 * Sends what changes something: asks now, and again where a connection had to be made first. A request waits for its
 * connection beyond this turn of the event loop, and a process may be stopped for long in between. On a connection that
 * was kept it is written in this same turn.
 */
export function sendFenced<Result>(mayAct: MayAct, send: () => Promise<Result>): Promise<Result> {
  mayAct();
  return sender.run(mayAct, send);
}

type Connected = (error: Error | null, stream: Duplex) => void;

class FencedAgent extends Agent {
  constructor() {
    // As Node's own agent.
    super({ keepAlive: true, scheduling: 'lifo', timeout: 5_000 });
  }

  override createConnection(options: ClientRequestArgs & NetConnectOpts, connected: Connected): undefined {
    const mayAct = sender.getStore();
    const socket = connect(options);
    const refuse = (error: Error) => connected(error, socket);
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      try {
        mayAct?.();
      } catch (error) {
        socket.destroy();
        refuse(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      connected(null, socket);
    });
  }

  /** The client renders the options of each request for a log that nobody reads, with all that hangs on them. */
  [inspect.custom](): string {
    return 'FencedAgent';
  }
}

/** An engine's API at a socket of this machine, or at an address; see `sendFenced`. */
export function createDockerClient(options: Docker.DockerOptions): Docker {
  return new Docker({ ...options, ...(options.protocol === 'https' ? {} : { agent: new FencedAgent() }) });
}
