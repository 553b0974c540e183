import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type DesiredState, OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, newId, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { freePort, startPostgres, startRedis } from '@skyrun/testing';
import { z } from 'zod';
import type { DesiredRevision } from '../reconcile/records.ts';
import { createDockerRuntime } from '../runtime/docker/docker-runtime.ts';
import type { Runtime, RuntimeInstance } from '../runtime/runtime.ts';
import { loadTestImage, type TestImage } from '../testing/image.ts';
import { countStarts } from './count-starts.ts';

/** Several orchestrators as real processes on real PostgreSQL, Redis and Docker, to be killed and stopped from outside. */
export interface Cluster {
  readonly runtime: Runtime;
  readonly db: Database;
  readonly image: TestImage;
  /** How often each instance's container was started, by instance id. */
  readonly starts: ReadonlyMap<string, number>;
  set(...revisions: readonly DesiredRevision[]): void;
  /** The process that leads; waits for one. */
  leader(): Promise<Candidate>;
  term(): Promise<bigint>;
  running(): Promise<RuntimeInstance[]>;
  /** A new process; resolves when it stands by. */
  join(): Promise<Candidate>;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly process: ChildProcess;
  leads(): Promise<boolean>;
  /** SIGKILL, and until it is gone. */
  kill(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PATIENCE_MS = 60_000;
const readiness = z.object({ checks: z.record(z.string(), z.unknown()) });

export async function startCluster(socketPath: string, candidates: number): Promise<Cluster> {
  const installation = `f${newId('instance', clock).slice(-8)}`;
  const options = { socketPath, installation, networkPool: '10.215.0.0/16', networkPrefix: 26, egress: true };
  const runtime = createDockerRuntime({ ...options, pidsLimit: 256, clock, logger: silentLogger });
  const [postgres, redis, registry] = await Promise.all([startPostgres(), startRedis(), startRegistry()]);
  const database = await postgres.createDatabase('failover');
  const image = await loadTestImage(runtime);
  const counting = new AbortController();
  const counted = await countStarts(socketPath, installation, counting.signal);
  const nobody = 'http://127.0.0.1:1';
  const env = {
    PATH: '',
    SKYRUN_DATABASE_URL: database.url,
    SKYRUN_REDIS_URL: redis.url,
    SKYRUN_INTERNAL_TOKEN: 'failover-test-internal-token-0123456789',
    SKYRUN_REGISTRY_URL: registry.url,
    SKYRUN_IDENTITY_URL: nobody,
    SKYRUN_ORCHESTRATOR_URL: nobody,
    SKYRUN_EVENTS_URL: nobody,
    SKYRUN_BILLING_URL: nobody,
    SKYRUN_DOCKER_SOCKET: socketPath,
    SKYRUN_INSTALLATION: installation,
    SKYRUN_NETWORK_POOL: options.networkPool,
    SKYRUN_LOG_LEVEL: 'error',
  };
  const members = new Set<Candidate>();
  const db = createDatabase({
    url: database.url,
    schema: 'orchestrator',
    applicationName: 'failover',
    logger: silentLogger,
  });

  async function join(): Promise<Candidate> {
    const port = await freePort();
    const args = ['services/orchestrator/main.ts'];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...env, SKYRUN_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const leadership = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
      return JSON.stringify(readiness.parse(await answer.json()).checks);
    };
    const candidate: Candidate = {
      process: child,
      leads: async () => (await leadership().catch(() => '')).includes('ok: leads'),
      async kill() {
        members.delete(candidate);
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      },
    };
    members.add(candidate);
    await until('a process that answers', async () => (await leadership().catch(() => '')) !== '');
    return candidate;
  }

  const cluster: Cluster = {
    runtime,
    db,
    image,
    starts: counted,
    set: registry.set,
    leader: () =>
      until('a leader', async () => {
        for (const member of members) if (await member.leads()) return member;
        return null;
      }),
    async term() {
      const { rows } = await db.query('SELECT term::text FROM leases');
      return BigInt(String(rows[0]?.['term'] ?? 0));
    },
    running: async () => (await runtime.list()).filter(({ state }) => state === 'running'),
    join,
    async stop() {
      await Promise.all([...members].map((member) => member.kill()));
      for (const { identity } of await runtime.list()) {
        await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
      }
      counting.abort();
      await runtime.tidy(new Set());
      await image.remove();
      registry.close();
      await db.close();
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
  for (let number = 0; number < candidates; number += 1) await join();
  return cluster;
}

export async function until<Value>(
  what: string,
  look: () => Promise<Value | null | undefined | false>,
  everyMs = 20,
): Promise<Value> {
  const end = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (clock.monotonic() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await clock.sleep(everyMs);
  }
}

interface RegistryServer {
  readonly url: string;
  set(...revisions: readonly DesiredRevision[]): void;
  close(): void;
}

/** Answers what should run, over HTTP. */
async function startRegistry(): Promise<RegistryServer> {
  let version = 0;
  let revisions: readonly DesiredRevision[] = [];
  const server = createServer((request, response) => {
    const etag = `"${version}"`;
    if (request.url !== OPERATIONS.getDesired.path) response.writeHead(404).end();
    else if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else {
      const state: DesiredState = { version: String(version), revisions: [...revisions] };
      response.writeHead(200, { etag, 'content-type': 'application/json' }).end(JSON.stringify(state));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    set(...next) {
      version += 1;
      revisions = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
