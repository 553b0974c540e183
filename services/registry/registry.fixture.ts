import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createBus, type EventBus } from '@skyrun/bus';
import { type Instance, OPERATIONS, type Problem, type RevisionObservation } from '@skyrun/contracts';
import {
  type Authenticator,
  type Client,
  createApi,
  createClient,
  createHttpServer,
  createMetrics,
  type HttpServer,
  loadConfig,
  type ServiceModule,
  silentLogger,
  systemClock,
} from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { createRegistryService } from './app.ts';
import { type RegistryConfig, registryConfig } from './config.ts';
import { dockerEntries, imageOf, layerWith, tarOf } from './images/archive/image.fixture.ts';
import type { Observed } from './observed/sync-observed.ts';

/** Everything may be done by anyone: permissions are kit's and identity's. */
const everyone: Authenticator = {
  authenticate: async ({ authorization = 'Bearer tester' }) => {
    const userId = authorization.slice('Bearer '.length);
    return { kind: 'user', userId, email: '', admin: true, expiresAt: Number.POSITIVE_INFINITY };
  },
  can: async () => true,
};

export interface ImportedImage {
  readonly reference: string;
  readonly digest: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Stands in for the orchestrator at the other end of real HTTP: keeps what it was given, says what it is told to. */
export interface TestOrchestrator {
  readonly imported: ImportedImage[];
  /** How often an import was begun. */
  importCalls: number;
  /** The first bytes of the last import. */
  lastArchive(): Buffer;
  readonly removed: string[];
  observed: Observed;
  /** What it says that gateways counted. */
  observations: (RevisionObservation & { revisionId: string })[];
  /** How to fail the next imports; null not to. */
  failImports: Problem | null;
  /** Reads slower than it could. */
  importDelayMs: number;
}

export interface TestRegistry {
  readonly url: string;
  readonly client: Client;
  readonly bus: EventBus;
  readonly db: Database;
  readonly orchestrator: TestOrchestrator;
  readonly dataDirectory: string;
  spooled(): Promise<string[]>;
  /** Stops the registry and starts another on the same database, with changes to its environment. */
  restart(changes?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

const KEPT = 1024 * 1024;

export interface TestPlace {
  readonly database: { readonly url: string; drop(): Promise<void> };
  readonly dataDirectory: { readonly path: string; remove(): void };
}

export async function startTestRegistry(
  { database, dataDirectory }: TestPlace,
  environment: Record<string, string> = {},
): Promise<TestRegistry> {
  const bus = await createBus({ kind: 'memory', clock: systemClock, logger: silentLogger });
  const fake = createOrchestrator();
  const orchestratorServer = serve([fake.module]);
  const { port } = await orchestratorServer.listen();
  const configured = (changes: Record<string, string>) =>
    loadConfig(registryConfig, {
      SKYRUN_DATA_DIR: dataDirectory.path,
      SKYRUN_ORCHESTRATOR_URL: `http://127.0.0.1:${port}`,
      SKYRUN_INTERNAL_TOKEN: 'internal',
      SKYRUN_SECRETS_KEY: 'a key of thirty-two characters or more',
      SKYRUN_IDENTITY_URL: `http://127.0.0.1:${port}`,
      SKYRUN_PUBLIC_URL: 'http://localhost:8080',
      SKYRUN_UPLOAD_MIN_FREE_BYTES: '1',
      ...environment,
      ...changes,
    });
  const create = (config: RegistryConfig) =>
    createRegistryService({
      config,
      databaseUrl: database.url,
      bus,
      orchestrator: createClient({ baseUrl: `http://127.0.0.1:${port}` }),
      clock: systemClock,
      logger: silentLogger,
    });
  const start = async (changes: Record<string, string> = {}) => {
    const module = create(configured(changes));
    const server = serve([module]);
    const address = await server.listen();
    await module.start();
    return { module, server, url: `http://127.0.0.1:${address.port}` };
  };
  let running = await start();
  const db = createDatabase({
    url: database.url,
    schema: 'registry',
    applicationName: 'test',
    logger: silentLogger,
    clock: systemClock,
  });
  const stop = async () => {
    await running.module.stop();
    await running.server.close(100);
  };
  return {
    get url() {
      return running.url;
    },
    get client() {
      return createClient({ baseUrl: running.url, token: () => 'tester' });
    },
    bus,
    db,
    orchestrator: fake.orchestrator,
    dataDirectory: dataDirectory.path,
    spooled: () => readdir(join(dataDirectory.path, 'uploads')),
    async restart(changes) {
      await stop();
      running = await start(changes);
    },
    async close() {
      await stop();
      await orchestratorServer.close(100);
      await bus.close();
      await db.close();
      await database.drop();
      dataDirectory.remove();
    },
  };
}

function serve(modules: readonly ServiceModule[]): HttpServer {
  return createHttpServer({
    modules,
    authenticator: everyone,
    logger: silentLogger,
    clock: systemClock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
}

function createOrchestrator(): { orchestrator: TestOrchestrator; module: ServiceModule } {
  const api = createApi();
  let last = Buffer.alloc(0);
  const orchestrator: TestOrchestrator = {
    imported: [],
    importCalls: 0,
    lastArchive: () => last,
    removed: [],
    observed: { instances: [], revisions: [] },
    observations: [],
    failImports: null,
    importDelayMs: 0,
  };
  api.handle(OPERATIONS.importImage, async ({ request, query }) => {
    orchestrator.importCalls += 1;
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      if (bytes < KEPT) kept.push(chunk);
      bytes += chunk.length;
      if (orchestrator.importDelayMs > 0) await systemClock.sleep(orchestrator.importDelayMs);
    }
    last = Buffer.concat(kept);
    if (orchestrator.failImports) throw orchestrator.failImports;
    orchestrator.imported.push({ ...query, bytes, sha256: hash.digest('hex') });
    return { digest: query.digest };
  });
  api.handle(OPERATIONS.removeImage, ({ query }) => {
    orchestrator.removed.push(query.reference);
    return undefined;
  });
  api.handle(OPERATIONS.observeRevisions, () => ({ revisions: orchestrator.observations }));
  api.handle(OPERATIONS.getObserved, () => ({
    instances: [...orchestrator.observed.instances],
    revisions: [...orchestrator.observed.revisions],
  }));
  const module: ServiceModule = {
    name: 'orchestrator',
    api,
    start: async () => undefined,
    stop: async () => undefined,
    ready: () => ({ ok: true, checks: {} }),
  };
  return { orchestrator, module };
}

/** An instance as the orchestrator would observe it. */
export function instanceOf(
  revision: { id: string; name: string; project: string; service: string; serviceId: string },
  change: Partial<Instance> & { id: string },
): Instance {
  return {
    project: revision.project,
    service: revision.service,
    serviceId: revision.serviceId,
    revisionId: revision.id,
    revisionName: revision.name,
    state: 'ready',
    node: 'local',
    address: '127.0.0.1',
    port: 12345,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}

/** Gives each project the same image, for tests that need any to deploy. */
export async function uploadAnImage({ client }: Pick<TestRegistry, 'client'>, ...projects: string[]): Promise<void> {
  const archive = await tarOf(dockerEntries(imageOf([await layerWith('hello')])));
  for (const project of projects) {
    await client.call(OPERATIONS.uploadImage, {
      params: { project },
      stream: (async function* () {
        yield archive;
      })(),
    });
  }
}
