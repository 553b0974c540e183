import { OPERATIONS } from '@skyrun/contracts';
import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { dockerSocket, testDatabase } from '@skyrun/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { networkProber } from './probes/probe.ts';
import type { DesiredRevision } from './reconcile/records.ts';
import { createDockerRuntime } from './runtime/docker/docker-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { desiredOf, TEST_SECRET } from './testing/desired.ts';
import { type Harness, listenOnLoopback, startHarness } from './testing/harness.ts';
import { loadTestImage, type TestImage } from './testing/image.ts';

const installation = `t${newId('instance', systemClock).slice(-8)}`;
let runtime: Runtime;
let image: TestImage;
let harness: Harness;
let drop: () => Promise<void>;

beforeAll(async () => {
  runtime = createDockerRuntime({
    socketPath: await dockerSocket(),
    installation,
    networkPool: '10.212.0.0/16',
    networkPrefix: 26,
    egress: true,
    pidsLimit: 256,
    clock: systemClock,
    logger: silentLogger,
  });
  image = await loadTestImage(runtime);
});

beforeEach(async () => {
  const database = await testDatabase('orchestrator');
  drop = () => database.drop();
  harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber });
});

afterEach(async () => {
  await harness.stop();
  for (const { identity } of await runtime.list()) {
    await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
  }
  await drop();
});

afterAll(async () => {
  await runtime.tidy(new Set());
  await image.remove();
});

async function ready(count: number) {
  const found = () =>
    harness.events.flatMap((event) => (event.type === 'skyrun.instance.ready.v1' ? [event.data] : []));
  await harness.until(`${count} ready`, () => found().length >= count);
  return found();
}

function pinned(fields: Parameters<typeof desiredOf>[0] = {}): DesiredRevision {
  const template = { resources: { memoryMib: 128 }, scaling: { minScale: 1 }, ...fields.template };
  return desiredOf({ image: image.reference, ...fields, template });
}

interface Inside {
  env: Record<string, string>;
  uid: number;
  cwd: string;
  argv: string[];
  stdinEnded: boolean;
  capabilities: string;
  bounding: string;
  noNewPrivileges: string;
  seccomp: string;
  writeRoot: string;
  writeTmp: string;
}

async function ask(instance: { address?: string | undefined; port?: number | undefined }, path = '/'): Promise<string> {
  const response = await fetch(`http://${instance.address}:${instance.port}${path}`);
  return response.text();
}

const connects = (from: { address?: string | undefined; port?: number | undefined }, host: string, port: number) =>
  ask(from, `/connect?host=${host}&port=${port}`);

describe('the container contract, from inside', () => {
  test('environment, user, working directory, arguments, sandbox', async () => {
    harness.registry.set(
      pinned({
        template: {
          port: 9090,
          workingDir: '/app',
          args: ['/app/main.cjs', 'one', 'two'],
          command: ['/usr/bin/node'],
          env: [{ name: 'GREETING', value: 'hällo = "world"' }],
        },
      }),
    );
    const [instance] = await ready(1);
    const inside = JSON.parse(await ask(instance ?? {})) as Inside;
    expect(inside.env).toMatchObject({
      PORT: '9090',
      K_SERVICE: 'web',
      K_REVISION: 'web-00001',
      K_CONFIGURATION: 'web',
      GREETING: 'hällo = "world"',
      FROM_IMAGE: 'yes',
    });
    expect(inside).toMatchObject({
      uid: 1234,
      cwd: '/app',
      argv: ['one', 'two'],
      stdinEnded: true,
      noNewPrivileges: '1',
      seccomp: '2',
      writeRoot: 'EROFS',
      writeTmp: 'ok',
    });
    expect(Number.parseInt(inside.capabilities, 16)).toBe(0);
    expect(Number.parseInt(inside.bounding, 16)).toBe(0);
  });

  test('a variable gets the value of a secret, which is in no event, answer, label or record', async () => {
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: TEST_SECRET.name, key: 'latest' } } }];
    harness.registry.set(pinned({ template: { env } }));
    const [instance] = await ready(1);
    expect((JSON.parse(await ask(instance ?? {})) as Inside).env['PASSWORD']).toBe(TEST_SECRET.value);
    const listed = await harness.instances('demo', 'web');
    const { rows } = await harness.db.query<{ text: string }>('select i::text as text from instances as i');
    expect(JSON.stringify([harness.events, listed, rows])).not.toContain(TEST_SECRET.value);
    expect(rows.length).toBeGreaterThan(0);

    const gone = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'nothing', key: 'latest' } } }];
    harness.registry.set(pinned({ number: 2, template: { env: gone } }));
    const failed = await harness.until('failed', () =>
      harness.events.find((event) => event.type === 'skyrun.instance.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'CannotStart' });
  });

  test('an HTTP probe waits for a good answer', async () => {
    harness.registry.set(pinned({ template: { startupProbe: { kind: 'http', path: '/fail', deadlineSeconds: 2 } } }));
    const failed = await harness.until('failed', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'ProbeTimeout' });
    harness.registry.set(pinned({ template: { startupProbe: { kind: 'http', path: '/' } } }));
    await ready(1);
  });
});

describe('isolation', () => {
  test('a container reaches neither the control plane nor another project; its own project it does', async () => {
    const loopback = await listenOnLoopback();
    harness.registry.set(
      pinned({ service: 'a', project: 'one' }),
      pinned({ service: 'b', project: 'one' }),
      pinned({ service: 'c', project: 'two' }),
    );
    const instances = await ready(3);
    const of = (service: string) => {
      const found = instances.find((instance) => instance.service === service);
      if (!found?.address) throw new Error(`no ${service}`);
      return { ...found, address: found.address };
    };
    const [a, b, c] = [of('a'), of('b'), of('c')];
    expect(await connects(a, b.address, 8080)).toBe('connected');
    expect(await connects(a, c.address, 8080)).not.toBe('connected');
    expect(await connects(c, a.address, 8080)).not.toBe('connected');
    const gateway = `${a.address.split('.').slice(0, 3).join('.')}.${Math.floor(Number(a.address.split('.')[3]) / 64) * 64 + 1}`;
    expect(await connects(a, gateway, loopback.port)).toBe('ECONNREFUSED');
    expect(await connects(a, '127.0.0.1', loopback.port)).toBe('ECONNREFUSED');
    expect(await connects(a, '127.0.0.1', 8080)).toBe('connected');
    loopback.close();
  });
});

describe('on the real engine', () => {
  test('from zero to one on a waiting request, and the phases are told', async () => {
    const web = pinned({
      template: { scaling: { stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1, idle: { pausedSeconds: 0 } } },
    });
    harness.registry.set(web);
    await systemClock.sleep(1500);
    await harness.report(web, { windowMs: 0, requests: 0 });
    const [instance] = await ready(1);
    expect(instance?.startPhases?.startMs).toBeGreaterThan(0);
    await harness.until('zero', async () => (await runtime.list()).length === 0);
    expect(harness.events.filter(({ type }) => type === 'skyrun.instance.started.v1')).toHaveLength(1);
  });

  test('an instance that runs out of memory says so', async () => {
    harness.registry.set(
      pinned({
        want: 'starting',
        template: {
          resources: { memoryMib: 96 },
          env: [
            { name: 'EAT_MIB', value: '512' },
            { name: 'LISTEN_DELAY_MS', value: '5000' },
          ],
        },
      }),
    );
    const failed = await harness.until('failed', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'OOMKilled' });
  });

  test('an archive is loaded under its digest; one that is not what was promised is refused and taken away', async () => {
    const load = (digest: string) =>
      harness.client.call(OPERATIONS.importImage, {
        query: { reference: image.reference, digest },
        stream: image.archive(),
      });
    expect(await load(image.digest)).toEqual({ digest: image.digest });
    await expect(load(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({ code: 'image.import_failed' });
    harness.registry.set(pinned({ want: 'starting' }));
    const failed = await harness.until('failed', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'ImageMissing' });
  });

  test('bytes that are no archive are refused', async () => {
    async function* nonsense() {
      yield Buffer.from('this is no archive'.repeat(100));
    }
    const call = harness.client.call(OPERATIONS.importImage, {
      query: { reference: image.reference, digest: image.digest },
      stream: nonsense(),
    });
    await expect(call).rejects.toMatchObject({ code: 'image.import_failed' });
  });
});
