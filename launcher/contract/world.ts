import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Instance, KUBERNETES_API, OPERATIONS, Problem, type Service } from '@skyrun/contracts';
import { type Client, type Clock, createClient } from '@skyrun/kit';
import { buildSampleArchive, commonJs } from '@skyrun/workload/sample';
import type { z } from 'zod';
import { type Answer, ask } from './ask.ts';
import { type Facts, facts } from './facts.ts';
import type { Place } from './place.ts';

type Template = Omit<z.input<typeof OPERATIONS.createService.body>['spec']['template'], 'image'>;

/** Where the probes run. The projects remain: a project cannot be taken back. */
export const PROJECT = 'contract';
export const NEIGHBOUR = 'contract-neighbour';
const IMAGE = 'contract-probe';
const PATIENCE_MS = 90_000;

export interface KubernetesAnswer extends Answer {
  readonly warnings: string;
}

/** The installation, as the one who deploys the probes has it. */
export interface World {
  readonly place: Place;
  readonly api: Client;
  readonly clock: Clock;
  deploy(service: string, template?: Template, project?: string): Promise<void>;
  /** Waits until it is ready and its host answers. */
  ready(service: string, project?: string): Promise<void>;
  remove(service: string, project?: string): Promise<void>;
  ask(service: string, path: string, headers?: Readonly<Record<string, string>>, project?: string): Promise<Answer>;
  /** Throws where the answer is not 200. */
  json(service: string, path: string): Promise<unknown>;
  facts(service: string): Promise<Facts>;
  /** Those that ended in the last hour too. */
  instances(service: string, project?: string): Promise<Instance[]>;
  log(service: string): Promise<string[]>;
  /** Asks to create a Knative Service, without anything being created. */
  admit(manifest: object, validation: 'Strict' | 'Warn'): Promise<KubernetesAnswer>;
  until<Value>(what: string, look: () => Promise<Value | null | undefined | false>): Promise<Value>;
  /** Takes away what was deployed. */
  clear(): Promise<void>;
}

export async function openWorld(place: Place, cacheDir: string, clock: Clock): Promise<World> {
  const port = place.state.gatewayPort;
  const baseUrl = `http://127.0.0.1:${port}`;
  const { accessToken } = await createClient({ baseUrl }).call(OPERATIONS.signIn, {
    body: { email: place.email, password: place.password },
  });
  const api = createClient({ baseUrl, token: () => accessToken });
  const deployed = new Map<string, string>();
  await prepare(api, cacheDir);

  async function until<Value>(what: string, look: () => Promise<Value | null | undefined | false>): Promise<Value> {
    const end = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const value = await look();
      if (value !== null && value !== undefined && value !== false) return value;
      if (clock.monotonic() > end) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
      await clock.sleep(100);
    }
  }

  const hostOf = (service: string, project: string) => `${service}.${project}.${place.state.baseDomain}:${port}`;
  const askService: World['ask'] = (service, path, headers = {}, project = PROJECT) =>
    ask({ port, host: hostOf(service, project), path, headers });

  async function json(service: string, path: string): Promise<unknown> {
    const answer = await askService(service, path);
    if (answer.status !== 200)
      throw new Error(`${service}${path} answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    return JSON.parse(answer.body);
  }

  async function remove(service: string, project = PROJECT): Promise<void> {
    deployed.delete(`${project}/${service}`);
    await tolerant(() => api.call(OPERATIONS.deleteService, { params: { project, service } }), 'resource.not_found');
  }

  return {
    place,
    api,
    clock,
    until,
    ask: askService,
    json,
    remove,
    async deploy(service, template = {}, project = PROJECT) {
      // What a run that was killed has left.
      await remove(service, project);
      const resources = { cpuMilli: 500, memoryMib: 128, ...template.resources };
      const spec = { template: { image: IMAGE, ...template, resources } };
      const params = { project };
      await until(`${service} is created`, () =>
        createAgain(() => api.call(OPERATIONS.createService, { params, body: { name: service, spec } })),
      );
      deployed.set(`${project}/${service}`, service);
    },
    async ready(service, project = PROJECT) {
      await until(`${service} is ready`, async () => {
        const { status } = await api.call(OPERATIONS.getService, { params: { project, service } });
        return status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
      });
      // The gateway hears of it a moment later.
      await until(
        `${service} answers`,
        async () => ![0, 404].includes((await askService(service, '/', {}, project)).status),
      );
    },
    facts: async (service) => facts.parse(await json(service, '/facts')),
    async instances(service, project = PROJECT) {
      const found = await api.call(OPERATIONS.listInstances, {
        params: { project, service },
        query: { all: 'true', limit: '100' },
      });
      return found.items;
    },
    async log(service) {
      const lines: string[] = [];
      const params = { project: PROJECT, service };
      for await (const { text } of api.stream(OPERATIONS.followLogs, { params, query: { tail: '1000' } }))
        lines.push(text);
      return lines;
    },
    async admit(manifest, validation) {
      const answer = await ask({
        port,
        host: `127.0.0.1:${port}`,
        path: `${KUBERNETES_API.path}/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services?dryRun=All&fieldValidation=${validation}`,
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(manifest),
      });
      return { ...answer, warnings: String(answer.headers['warning'] ?? '') };
    },
    async clear() {
      for (const [key, service] of deployed) await remove(service, key.split('/')[0]);
    },
  };
}

/** A service whose name is still being taken away by the run before is asked for again. */
async function createAgain(create: () => Promise<Service>): Promise<Service | null> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof Problem && error.code === 'resource.already_exists') return null;
    throw error;
  }
}

async function prepare(api: Client, cacheDir: string): Promise<void> {
  const system = (name: string) => `/usr/bin/${name}`;
  const archive = await buildSampleArchive({
    destination: join(cacheDir, 'contract-probe.tar'),
    cacheDir: join(cacheDir, 'layers'),
    format: 'docker',
    name: IMAGE,
    script: commonJs([new URL('./probe/app.ts', import.meta.url)]),
    programs: [
      // Belongs to root and would run as root: whoever starts it must stay who it was.
      { source: system('id'), path: '/probe/id', mode: 0o4755 },
      ...['sleep', 'mknod', 'mount'].map((name) => ({ source: system(name), path: `/probe/${name}`, mode: 0o755 })),
    ],
  });
  for (const project of [PROJECT, NEIGHBOUR]) {
    await tolerant(() => api.call(OPERATIONS.createProject, { body: { name: project } }), 'resource.already_exists');
    await api.call(OPERATIONS.uploadImage, {
      params: { project },
      query: { name: IMAGE },
      stream: createReadStream(archive.path, { highWaterMark: 1_048_576 }),
    });
  }
}

async function tolerant(work: () => Promise<unknown>, code: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem && error.code === code)) throw error;
  }
}
