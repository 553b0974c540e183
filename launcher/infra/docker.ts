import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';

export const DOCKER_SOCKET = '/var/run/docker.sock';

export interface DockerVersion {
  readonly version: string;
  readonly apiVersion: string;
}

/** The engine's version if one answers on `socketPath` within `timeoutMs` milliseconds, else the reason it does not. */
export async function dockerVersion(socketPath: string, timeoutMs = 3_000): Promise<DockerVersion | { error: string }> {
  try {
    const answer = z
      .object({ Version: z.string(), ApiVersion: z.string() })
      .safeParse(await engineCall(socketPath, 'GET', '/version', timeoutMs));
    if (!answer.success) return { error: 'whatever answers on the socket is not a Docker Engine' };
    return { version: answer.data.Version, apiVersion: answer.data.ApiVersion };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const labelled = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullable() }));

const networkList = z.array(z.object({ Id: z.string(), Name: z.string() }));

/** Label that the orchestrator puts on every container and network of an installation. */
const INSTALLATION_LABEL = 'dev.skyrun.installation';
const GRACE_LABEL = 'dev.skyrun.grace-seconds';

/**
 * Stop every container of an installation within its own grace, then remove them and their networks; on a manager of a
 * swarm its services first, which are containers on other machines too.
 * @returns how many containers there were
 * @throws Error when the engine answers with one; an engine that is gone has no containers running
 */
export async function removeContainers(socketPath: string, installation: string): Promise<number> {
  const filter = encodeURIComponent(JSON.stringify({ label: [`${INSTALLATION_LABEL}=${installation}`] }));
  await removeServices(socketPath, filter);
  const containers = labelled.parse(await engineCall(socketPath, 'GET', `/containers/json?all=true&filters=${filter}`));
  await Promise.all(
    containers.map(async ({ Id, Labels }) => {
      const grace = Math.min(60, Number(Labels?.[GRACE_LABEL] ?? 10) || 10);
      await engineCall(socketPath, 'POST', `/containers/${Id}/stop?t=${grace}`, (grace + 20) * 1_000);
      await engineCall(socketPath, 'DELETE', `/containers/${Id}?force=true&v=true`);
    }),
  );
  const networks = networkList.parse(await engineCall(socketPath, 'GET', `/networks?filters=${filter}`));
  await Promise.all(networks.map((network) => removeNetwork(socketPath, network)));
  return containers.length;
}

/** On a swarm, what a project's networks are made from, beside the one that stands for all of them and bears no label. */
const CONFIGURATION = /-config$/;
const NETWORK_GOES_WITHIN_MS = 15_000;

async function removeNetwork(socketPath: string, { Id, Name }: z.infer<typeof networkList>[number]): Promise<void> {
  const end = performance.now() + NETWORK_GOES_WITHIN_MS;
  for (;;) {
    try {
      if (CONFIGURATION.test(Name))
        await engineCall(socketPath, 'DELETE', `/networks/${Name.replace(CONFIGURATION, '')}`);
      await engineCall(socketPath, 'DELETE', `/networks/${Id}`);
      return;
    } catch (error) {
      // A task of the swarm that is about to go still uses it.
      if (performance.now() > end) throw error;
      await setTimeout(250);
    }
  }
}

const swarmState = z.object({ Swarm: z.object({ ControlAvailable: z.boolean().default(false) }).nullish() });
const services = z.array(z.object({ ID: z.string() }));

async function removeServices(socketPath: string, filter: string): Promise<void> {
  const { Swarm: swarm } = swarmState.parse(await engineCall(socketPath, 'GET', '/info'));
  if (!swarm?.ControlAvailable) return;
  const found = services.parse(await engineCall(socketPath, 'GET', `/services?filters=${filter}`));
  await Promise.all(found.map(({ ID }) => engineCall(socketPath, 'DELETE', `/services/${ID}`)));
}

/** Gone already, and not running: what was asked for is so. */
const SETTLED = [304, 404, 409];

function engineCall(socketPath: string, method: string, path: string, timeoutMs = 30_000): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, timeout: timeoutMs, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 400 && !(method !== 'GET' && SETTLED.includes(status))) {
          reject(new Error(`the engine answered ${status} to ${method} ${path}: ${body.slice(0, 300)}`));
        } else if (method === 'GET') resolve(JSON.parse(body));
        else resolve(null);
      });
    });
    call.on('timeout', () => call.destroy(new Error(`the engine did not answer within ${timeoutMs} ms`)));
    call.on('error', reject);
    call.end();
  });
}
