import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { silentLogger } from '@skyrun/kit';
import { freePort } from '@skyrun/launcher/infra';
import { createDatabase, type Database } from '@skyrun/postgres';
import { startRabbitmq, startRedis, type TestDatabase, testDatabase, testRedisUrl } from '@skyrun/testing';
import { afterEach, expect, test } from 'vitest';

const FIXTURE = new URL('./without-broker.fixture.ts', import.meta.url).pathname;
const PATIENT = { timeout: 60_000, interval: 100 };

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function start(env: Record<string, string>, database: TestDatabase): Promise<string> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const services = ['IDENTITY', 'REGISTRY', 'ORCHESTRATOR', 'EVENTS', 'BILLING'];
  const child: ChildProcess = spawn(process.execPath, [FIXTURE], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      SKYRUN_DATABASE_URL: database.url,
      SKYRUN_INTERNAL_TOKEN: randomBytes(32).toString('hex'),
      SKYRUN_KEY_SECRET: randomBytes(32).toString('hex'),
      SKYRUN_WEBHOOK_KEY_SECRET: randomBytes(32).toString('hex'),
      SKYRUN_PORT: String(port),
      ...Object.fromEntries(services.map((name) => [`SKYRUN_${name}_URL`, url])),
      ...env,
    },
  });
  undo.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return url;
}

/** Status of a request; 0 where nobody answers yet. */
async function status(url: string, init?: RequestInit): Promise<number> {
  const answer = await fetch(url, init).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.status ?? 0;
}

const signUp = (url: string, name: string) =>
  status(`${url}/api/v1/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${name}@example.org`, password: randomBytes(12).toString('hex'), name }),
  });

async function logged(db: Database): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from log where type = 'skyrun.user.created.v1'`,
  );
  return rows[0]?.count ?? 0;
}

test.each(['redis', 'rabbitmq'] as const)(
  'without %s the control plane starts and takes writes; when it comes, what was written is told',
  { timeout: 180_000 },
  async (kind) => {
    const broker = await (kind === 'redis' ? startRedis({ aof: true }) : startRabbitmq());
    undo.push(() => broker.stop());
    await broker.kill();
    const database = await testDatabase('broker');
    undo.push(() => database.drop());
    const redisUrl = kind === 'redis' ? broker.url : await testRedisUrl();
    const bus = kind === 'redis' ? {} : { SKYRUN_RABBITMQ_URL: broker.url };
    const url = await start({ SKYRUN_BUS: kind, SKYRUN_REDIS_URL: redisUrl, ...bus }, database);

    await expect.poll(() => status(`${url}/healthz`), PATIENT).toBe(200);
    await expect.poll(() => signUp(url, 'ada'), PATIENT).toBe(201);
    expect(await signUp(url, 'grace')).toBe(201);
    const ready = async () => (await fetch(`${url}/readyz`)).json();
    const started = { 'identity.started': 'ok', 'events.started': 'ok', 'billing.started': 'ok' };
    await expect.poll(ready, PATIENT).toMatchObject({ ok: false, checks: { 'bus.broker': 'away', ...started } });

    await broker.restart();
    await expect.poll(() => status(`${url}/readyz`), PATIENT).toBe(200);
    const db = createDatabase({ url: database.url, schema: 'events', applicationName: 'test', logger: silentLogger });
    undo.push(() => db.close());
    await expect.poll(() => logged(db), PATIENT).toBe(2);
  },
);
