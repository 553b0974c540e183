import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { silentLogger } from '@skyrun/kit';
import { checkReady } from '@skyrun/launcher/infra';
import { createDatabase } from '@skyrun/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startPostgres,
  startRabbitmq,
  startRedis,
  type TestPostgres,
  testDatabase,
  testRabbitUrl,
  testRedisUrl,
} from './index.ts';
import { shareServers } from './shared.ts';

async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const database = createDatabase({
    url,
    schema: 'public',
    applicationName: 'test',
    poolSize: 1,
    logger: silentLogger,
  });
  try {
    return (await database.query(sql)).rows;
  } finally {
    await database.close();
  }
}

const portOf = (url: string): number => Number(new URL(url).port);

describe('a private PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test('keeps what was committed over a kill', async () => {
    const { url } = await postgres.createDatabase('keep');
    await query(url, 'CREATE TABLE t (n int)');
    await query(url, 'INSERT INTO t VALUES (1), (2)');
    await postgres.kill();
    await expect(query(url, 'SELECT 1')).rejects.toThrow();
    await postgres.restart();
    expect(await query(url, 'SELECT sum(n)::int AS sum FROM t')).toEqual([{ sum: 3 }]);
  });

  test('refuses a wrong password', async () => {
    const wrong = new URL(postgres.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password');
  });

  test('does not answer while paused and answers again when resumed', async () => {
    const check = { kind: 'postgres', port: portOf(postgres.url), user: 'skyrun' } as const;
    postgres.pause();
    expect((await checkReady(check, 300)).ok).toBe(false);
    postgres.resume();
    expect((await checkReady(check, 30_000)).ok).toBe(true);
  });
});

test('a private Redis answers on its own port and ends with stop', async () => {
  const redis = await startRedis({ aof: true });
  const check = { kind: 'redis', port: portOf(redis.url) } as const;
  expect(await checkReady(check)).toEqual({ ok: true, detail: 'answers' });
  await redis.restart();
  expect((await checkReady(check)).ok).toBe(true);
  await redis.stop();
  expect((await checkReady(check)).ok).toBe(false);
});

test('two RabbitMQ live side by side and survive a kill', async () => {
  const [one, other] = await Promise.all([startRabbitmq(), startRabbitmq()]);
  try {
    expect(portOf(one.url)).not.toBe(portOf(other.url));
    await one.kill();
    expect((await checkReady({ kind: 'amqp', port: portOf(one.url) })).ok).toBe(false);
    await one.restart();
    expect((await checkReady({ kind: 'amqp', port: portOf(one.url) })).ok).toBe(true);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
});

test('the shared servers of the run are one each, with separate databases', async () => {
  const [first, second] = await Promise.all([testDatabase('one'), testDatabase('one')]);
  expect(new URL(first.url).port).toBe(new URL(second.url).port);
  expect(first.url).not.toBe(second.url);
  await query(first.url, 'CREATE TABLE only_here ()');
  expect(await query(second.url, "SELECT to_regclass('only_here') AS found")).toEqual([{ found: null }]);
  await Promise.all([first.drop(), second.drop()]);
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow('does not exist');
  expect(await testRedisUrl()).toBe(await testRedisUrl());
  expect(await testRabbitUrl()).toBe(await testRabbitUrl());
});

test('whoever asks where a shared server is never does so over a connection that is about to be closed', async () => {
  const shared = await shareServers();
  const response = await fetch(`${shared.address}/nothing`);
  expect([response.status, response.headers.get('connection')]).toEqual([404, 'close']);
  await shared.stop();
});

test('a runner that is killed leaves no server behind', async () => {
  const runner = spawn(process.execPath, [new URL('./killed-runner.fixture.ts', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: runner.stdout });
  const pids: number[] = [];
  for await (const line of lines) {
    pids.push(...line.split(' ').map(Number));
    break;
  }
  expect(pids).toHaveLength(3);
  for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(true);
  runner.kill('SIGKILL');
  await expect.poll(() => pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});
