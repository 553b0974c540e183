import { type ChildProcess, spawn } from 'node:child_process';
import { once as eventOnce } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBus, type EventBus } from '@skyrun/bus';
import type { EventDraft } from '@skyrun/contracts';
import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { appendEvents, createDatabase, createOutboxRelay, type Database } from '@skyrun/postgres';
import { startRedis, testDatabase, testRabbitUrl } from '@skyrun/testing';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** As the README says it. */
const COMMAND = /^SKYRUN_BUS=.*$/m.exec(readFileSync(new URL('./README.md', import.meta.url), 'utf8'))?.[0] ?? '';
const WHEN = '2026-01-01T00:00:00.000Z';
const SERVICES = ['hello', 'world', 'shop'];
const KILLS = 5;
const ids = { svc: newId('service', systemClock), rev: newId('revision', systemClock) };

function started(service: string): EventDraft {
  const id = newId('instance', systemClock);
  return {
    type: 'skyrun.instance.started.v1',
    subject: `instances/${id}`,
    project: 'demo',
    data: {
      id,
      project: 'demo',
      service,
      serviceId: ids.svc,
      revisionId: ids.rev,
      revisionName: `${service}-00001`,
      state: 'starting',
      node: 'local',
      createdAt: WHEN,
    },
  };
}

function usage(service: string, requests: number, busyMs: number): EventDraft {
  return {
    type: 'skyrun.usage.recorded.v1',
    subject: `services/demo/${service}`,
    project: 'demo',
    data: {
      project: 'demo',
      service,
      serviceId: ids.svc,
      revisionId: ids.rev,
      revisionName: `${service}-00001`,
      key: newId('usage', systemClock),
      kind: 'requests',
      instanceId: '',
      windowStart: WHEN,
      windowEnd: WHEN,
      billingMode: 'request',
      cpuMilli: 1000,
      memoryMib: 256,
      requests,
      bytesIn: 0,
      bytesOut: 0,
      busy: [],
      busyMs,
      statusClasses: { '1xx': 0, '2xx': requests, '3xx': 0, '4xx': 0, '5xx': 0 },
      minInstance: false,
      state: 'running',
    },
  };
}

describe.each(['redis', 'rabbitmq'] as const)('team service over %s', (kind) => {
  const cleanup: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const undo of cleanup.splice(0).reverse()) await undo();
  });

  const brokerUrl = async () => {
    if (kind === 'rabbitmq') return testRabbitUrl();
    const redis = await startRedis({ aof: true });
    cleanup.push(() => redis.stop());
    return redis.url;
  };

  const spawnService = async (busUrl: string, databaseUrl: string): Promise<ChildProcess> => {
    const environment = {
      BUS: kind,
      BUS_URL: busUrl,
      DATABASE: databaseUrl,
      PATH: `${dirname(process.execPath)}:/bin`,
    };
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    // `exec`, so that what is killed is the service and not a shell before it.
    const line = COMMAND.replace(' node ', ' exec node ');
    const child = spawn('/bin/sh', ['-c', line], { cwd: ROOT, env: environment, stdio: [...stdio] });
    cleanup.push(async () => child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the team service ended with ${code}`)));
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('counting')) resolve();
      });
    });
    return child;
  };

  const producer = async (bus: EventBus): Promise<Database> => {
    const source = await testDatabase('producer');
    cleanup.push(source.drop);
    const db = createDatabase({ url: source.url, schema: 'registry', applicationName: 'x', logger: silentLogger });
    cleanup.push(() => db.close());
    await db.migrate(new URL('./migrations/', import.meta.url));
    const relay = createOutboxRelay({ db, bus, clock: systemClock, logger: silentLogger, batchSize: 20 });
    cleanup.push(() => relay.stop());
    await relay.start();
    return db;
  };

  it('killed again and again in the middle of the stream, counts everything exactly once', async () => {
    const url = await brokerUrl();
    const bus = await createBus({ kind, url, clock: systemClock, logger: silentLogger });
    cleanup.push(() => bus.close());
    const own = await testDatabase('tally');
    cleanup.push(own.drop);
    const tally = createDatabase({ url: own.url, schema: 'tally', applicationName: 'check', logger: silentLogger });
    cleanup.push(() => tally.close());
    const db = await producer(bus);

    let service = await spawnService(url, own.url);
    const expected = new Map(SERVICES.map((name) => [name, { started: 0, requests: 0, busyMs: 0 }]));
    let going = true;
    const producing = (async () => {
      for (let round = 0; going; round += 1) {
        const name = SERVICES[round % SERVICES.length] ?? 'hello';
        const drafts = [started(name), usage(name, round % 7, round % 13)];
        await db.transaction((tx) => appendEvents(tx, 'registry', drafts, systemClock));
        const sums = expected.get(name);
        if (sums) {
          sums.started += 1;
          sums.requests += round % 7;
          sums.busyMs += round % 13;
        }
        await systemClock.sleep(4);
      }
    })();
    const counted = async () => {
      const { rows } = await tally.query<{ total: string }>(
        'select coalesce(sum(instances_started), 0) as total from tally',
      );
      return Number(rows[0]?.total);
    };

    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = await counted();
      await expect.poll(counted, { timeout: 30_000, interval: 10 }).toBeGreaterThan(before + 15);
      service.kill('SIGKILL');
      await eventOnce(service, 'exit');
      service = await spawnService(url, own.url);
    }
    going = false;
    await producing;

    const totals = [...expected].map(([name, sums]) => ({
      service: name,
      started: String(sums.started),
      requests: String(sums.requests),
      busy: String(sums.busyMs),
    }));
    const actual = async () =>
      (
        await tally.query(
          `select service, instances_started as started, requests, busy_ms as busy
           from tally order by array_position($1::text[], service)`,
          [SERVICES],
        )
      ).rows;
    await expect.poll(actual, { timeout: 120_000 }).toEqual(totals);
    // A graceful end leaves nothing half done, and nothing more arrives.
    service.kill('SIGTERM');
    const [code] = await eventOnce(service, 'exit');
    expect(code).toBe(0);
    expect(await actual()).toEqual(totals);
  }, 300_000);
});
