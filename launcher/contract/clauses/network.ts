import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { type Clause, clause, denied, exactly } from '../clause.ts';
import { type Facts, gatewayOf } from '../facts.ts';
import { NEIGHBOUR, type World } from '../world.ts';

const ISOLATION = 'skyrun: isolation';
const METADATA = ['169.254.169.254', '169.254.170.2'];
const reached = z.object({ result: z.string() });
const readiness = z.object({ checks: z.record(z.string(), z.string()) });

/** What a container can connect to, and what it cannot: the machine, its stores, metadata services, other projects. */
export async function networkClauses(world: World, { hostname, route }: Facts): Promise<Clause[]> {
  const reach = async (host: string, port: number) =>
    reached.parse(await world.json('plain', `/connect?host=${host}&port=${port}`)).result;
  const addressOf = async (service: string, project?: string) => {
    const running = (await world.instances(service, project)).find(({ state }) => state === 'ready');
    if (!running?.address || running.port === undefined) throw new Error(`${service} has no instance`);
    return { host: running.address, port: running.port };
  };
  const gateway = gatewayOf({ route }) ?? '';
  const [friend, neighbour, listener] = await Promise.all([
    addressOf('custom'),
    addressOf('neighbour', NEIGHBOUR),
    listenEverywhere(),
  ]);
  try {
    const machine = [...new Set([gateway, ...ownAddresses()])];
    const open = await Promise.all(machine.map(async (host) => `${host} ${await reach(host, listener.port)}`));
    const stores = world.place.state.processes.map(({ name, port }) => ({ name, port }));
    const inside = await Promise.all(stores.map(async ({ name, port }) => `${name} ${await reach(gateway, port)}`));
    const [own, other, self] = await Promise.all([
      reach(friend.host, friend.port),
      reach(neighbour.host, neighbour.port),
      world.json('plain', `/resolve?name=${hostname}`).then((answer) => reached.parse(answer).result),
    ]);
    return [
      clause('its own project', ISOLATION, 'connected', exactly(own, 'connected')),
      clause('another project', ISOLATION, 'refused', denied(other)),
      clause('a server of the machine, by each address', ISOLATION, 'refused', none(open)),
      clause('the stores and the control plane', ISOLATION, 'refused', none(inside)),
      clause('names', 'knative: DNS', 'its own name resolves', {
        seen: self,
        holds: /^\d+\.\d+\.\d+\.\d+$/.test(self),
      }),
      await metadataClause(world, reach),
    ];
  } finally {
    listener.close();
  }
}

/** Not tried where nothing would stop it: the question would leave the machine. */
async function metadataClause(world: World, reach: (host: string, port: number) => Promise<string>): Promise<Clause> {
  const name = 'metadata services';
  const rules = await networkRules(world);
  if (!rules.startsWith('ok'))
    return clause(name, ISOLATION, 'refused', { seen: `not tried: network rules ${rules}`, holds: false });
  const seen = await Promise.all(METADATA.map(async (host) => `${host} ${await reach(host, 80)}`));
  return clause(name, ISOLATION, 'refused at once', {
    seen: seen.join(', '),
    holds: seen.every((each) => / (ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EACCES)$/.test(each)),
  });
}

async function networkRules({ place }: World): Promise<string> {
  const { processes } = place.state;
  const orchestrator = processes.find(({ name }) => name === 'orchestrator' || name === 'control');
  const answer = await fetch(`http://127.0.0.1:${orchestrator?.port}/readyz`);
  const { checks } = readiness.parse(await answer.json());
  const found = Object.entries(checks).find(([check]) => check.endsWith('network rules'));
  return found?.[1] ?? 'unknown';
}

const none = (seen: readonly string[]) => ({
  seen: seen.join(', '),
  holds: seen.length > 0 && !seen.some((each) => each.endsWith(' connected')),
});

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ family, internal, address }) => (family === 'IPv4' && !internal ? [address] : []));
}

/** As a careless server of the machine does. */
async function listenEverywhere(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listening socket has no port');
  return { port: address.port, close: () => server.close() };
}
