import { connect, type Socket } from 'node:net';
import type { AbortInstance } from './abort-instance.ts';

/** How one side goes away. */
const LEAVES = ['end', 'destroy', 'resetAndDestroy'] as const;
type Leave = (typeof LEAVES)[number];

/** One way in which an exchange is broken off; `measure` resolves with the ms until the other side has noticed. */
export interface AbortWay {
  readonly name: string;
  measure(): Promise<number>;
}

/** Every way of breaking off an exchange through the gateway at `port`, from either side. */
export function abortWays(port: number, host: string, instance: AbortInstance): AbortWay[] {
  let count = 0;
  const begin = async (kind: string, method: string) => {
    count += 1;
    const path = `/${kind}/${count}`;
    const arriving = instance.arrival(path);
    const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    client.on('error', () => client.destroy());
    const length = method === 'POST' ? 'Content-Length: 1000000\r\n' : '';
    client.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n${method === 'POST' ? 'part' : ''}`);
    const arrival = await arriving;
    if (kind === 'stream') await new Promise((resolve) => client.once('data', resolve));
    return { client, arrival };
  };
  const clientLeaves = (name: string, kind: string, method: string, leave: Leave): AbortWay => ({
    name: `the client leaves (${leave}), ${name}`,
    async measure() {
      const { client, arrival } = await begin(kind, method);
      const left = performance.now();
      client[leave]();
      const noticed = await arrival.closed;
      client.destroy();
      return noticed - left;
    },
  });
  const instanceLeaves = (name: string, kind: string, method: string, leave: Leave): AbortWay => ({
    name: `the instance leaves (${leave}), ${name}`,
    async measure() {
      const { client, arrival } = await begin(kind, method);
      const told = ended(client);
      const left = performance.now();
      arrival.socket[leave]();
      const noticed = await told;
      client.destroy();
      return noticed - left;
    },
  });
  return LEAVES.flatMap((leave) => [
    clientLeaves('no answer yet', 'silent', 'GET', leave),
    clientLeaves('amid its body', 'silent', 'POST', leave),
    clientLeaves('amid the response', 'stream', 'GET', leave),
    instanceLeaves('amid the request’s body', 'silent', 'POST', leave),
    instanceLeaves('amid the response', 'stream', 'GET', leave),
  ]);
}

/** Resolves with `performance.now()` when the client hears of it: an answer of the gateway's own, or the end of its connection. */
function ended(client: Socket): Promise<number> {
  return new Promise((resolve) => {
    const told = () => resolve(performance.now());
    client.once('data', told);
    client.once('end', told);
    client.once('close', told);
  });
}
