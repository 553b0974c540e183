import { describe, expect, test } from 'vitest';
import type { ServerProcess } from './infra/index.ts';
import { layoutOf } from './layout.ts';
import { stopOrder } from './supervisor/stop-order.ts';
import { gatewayCount, type TopologyConfig, topology } from './topology.ts';

const server: ServerProcess = {
  command: 'server',
  args: [],
  env: {},
  cwd: '/',
  account: null,
  deathSignal: 'SIGTERM',
  stopSignal: 'SIGTERM',
  stopGraceMs: 1,
  ready: { kind: 'tcp', port: 1 },
  readyWithinMs: 1,
};

function config(change: Partial<TopologyConfig>): TopologyConfig {
  const same = change.shape !== 'distributed';
  return {
    shape: 'one-machine',
    layout: layoutOf('/repo', '/data'),
    installation: {
      id: 'abc',
      internalToken: 'token',
      keySecret: 'key',
      adminEmail: 'admin@skyrun.local',
      adminPassword: 'secret',
      postgresPassword: 'p',
      redisPassword: 'r',
      rabbitmqPassword: 'm',
      erlangCookie: 'c',
    },
    ports: {
      gateway: 8080,
      services: {
        identity: 1,
        registry: same ? 1 : 2,
        orchestrator: same ? 1 : 3,
        events: same ? 1 : 4,
        billing: same ? 1 : 5,
      },
      gatewayAdmin: [11, 12],
      postgres: 21,
      redis: 22,
      rabbitmq: 23,
      epmd: 24,
    },
    node: '/node',
    gatewayProgram: 'gateway/main.ts',
    listenHost: '0.0.0.0',
    baseDomain: 'localhost',
    databaseUrl: 'postgres://db',
    redisUrl: 'redis://r',
    rabbitmqUrl: 'amqp://m',
    dockerSocket: '/docker.sock',
    environment: {},
    servers: same
      ? { postgres: server, redis: server }
      : { postgres: server, redis: server, epmd: server, rabbitmq: server },
    ...change,
  };
}

const one = topology(config({}));
const many = topology(config({ shape: 'distributed' }));

describe('the processes', () => {
  test.each([
    ['one machine', one, ['postgres', 'redis', 'control', 'gateway-1', 'gateway-2']],
    [
      'distributed',
      many,
      [
        'postgres',
        'redis',
        'epmd',
        'rabbitmq',
        'identity',
        'registry',
        'orchestrator',
        'events',
        'billing',
        'gateway-1',
        'gateway-2',
      ],
    ],
  ])('of %s', (_name, specs, expected) => {
    expect(specs.map((spec) => spec.name)).toEqual(expected);
  });

  test.each([
    ['one machine', one, 'redis'],
    ['distributed', many, 'rabbitmq'],
  ])('of %s carry events over %s', (_name, specs, bus) => {
    const kinds = new Set(specs.flatMap((spec) => spec.env['SKYRUN_BUS'] ?? []));
    expect([...kinds]).toEqual([bus]);
  });

  test('find each other at the same addresses, whoever looks', () => {
    for (const specs of [one, many]) {
      const addresses = new Set(
        specs.flatMap((spec) =>
          spec.env['SKYRUN_REGISTRY_URL'] === undefined
            ? []
            : JSON.stringify([
                spec.env['SKYRUN_IDENTITY_URL'],
                spec.env['SKYRUN_REGISTRY_URL'],
                spec.env['SKYRUN_BILLING_URL'],
              ]),
        ),
      );
      expect(addresses.size).toBe(1);
    }
  });

  test('keep to loopback, but for the gateways', () => {
    const hosts = one.map((spec) => [spec.name, spec.env['SKYRUN_LISTEN_HOST']]);
    expect(hosts).toEqual([
      ['postgres', undefined],
      ['redis', undefined],
      ['control', '127.0.0.1'],
      ['gateway-1', '0.0.0.0'],
      ['gateway-2', '0.0.0.0'],
    ]);
  });

  test('take the operator’s variables, but not where the platform would fall apart', () => {
    const specs = topology(
      config({ environment: { SKYRUN_LOG_LEVEL: 'debug', SKYRUN_PORT: '1', SKYRUN_GATEWAY_ID: 'x' } }),
    );
    const gateway = specs.find((spec) => spec.name === 'gateway-2');
    expect(gateway?.env).toMatchObject({
      SKYRUN_LOG_LEVEL: 'debug',
      SKYRUN_PORT: '8080',
      SKYRUN_GATEWAY_ID: 'gateway-2',
    });
  });

  test('load OpenTelemetry only when traces have somewhere to go, and never in gateways, which make their own spans', () => {
    const imports = (environment: Record<string, string>): boolean[] =>
      topology(config({ environment })).map((spec) => spec.args.includes('./observability/register.ts'));
    expect(imports({})).toEqual([false, false, false, false, false]);
    expect(imports({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' })).toEqual([false, false, true, false, false]);
  });
});

describe('the order of ending', () => {
  test.each([
    ['one machine', one, [['gateway-1', 'gateway-2'], ['control'], ['postgres', 'redis']]],
    [
      'distributed',
      many,
      [
        ['gateway-1', 'gateway-2'],
        ['identity', 'registry', 'orchestrator', 'events', 'billing'],
        ['postgres', 'redis', 'rabbitmq'],
        ['epmd'],
      ],
    ],
  ])('of %s', (_name, specs, expected) => {
    expect(stopOrder(specs)).toEqual(expected);
  });

  test('a cycle and a stranger are errors', () => {
    const cycle = [
      { name: 'a', endsBefore: ['b'] },
      { name: 'b', endsBefore: ['a'] },
    ];
    expect(() => stopOrder(cycle)).toThrow('a cycle among a, b');
    expect(() => stopOrder([{ name: 'a', endsBefore: ['z'] }])).toThrow('z, which is not there');
  });
});

test.each([
  [1, 1],
  [2, 1],
  [8, 7],
])('with %i cores there are %i gateways', (cores, gateways) => {
  expect(gatewayCount(cores)).toBe(gateways);
});

test.each([
  ['one-machine', ['control']],
  ['distributed', ['identity']],
] as const)(
  '%s: the administrator’s password and the key secret go to nobody but who runs identity',
  (shape, knowing) => {
    const told = (name: string) =>
      topology(config({ shape }))
        .filter(({ env }) => env[name] !== undefined)
        .map((spec) => spec.name);
    expect(told('SKYRUN_ADMIN_PASSWORD')).toEqual(knowing);
    expect(told('SKYRUN_KEY_SECRET')).toEqual(knowing);
    expect(told('SKYRUN_SECRETS_KEY')).toEqual(shape === 'distributed' ? ['registry'] : knowing);
    expect(told('SKYRUN_WEBHOOK_KEY_SECRET')).toEqual(shape === 'distributed' ? ['events'] : knowing);
  },
);

test('what the operator keeps in a file is in no environment, but for where it is', () => {
  const names = ['SKYRUN_SECRETS_KEY', 'SKYRUN_INTERNAL_TOKEN', 'SKYRUN_KEY_SECRET', 'SKYRUN_WEBHOOK_KEY_SECRET'];
  const environment = Object.fromEntries(names.map((name) => [`${name}_FILE`, '/etc/skyrun/secret']));
  for (const shape of ['one-machine', 'distributed'] as const) {
    for (const { env } of topology(config({ shape, environment }))) {
      for (const name of names) expect(env[name]).toBeUndefined();
    }
  }
  const [control] = topology(config({ environment })).filter(({ name }) => name === 'control');
  expect(control?.env['SKYRUN_SECRETS_KEY_FILE']).toBe('/etc/skyrun/secret');
  // The key of before is the one that was made at the first start.
  expect(control?.env['SKYRUN_SECRETS_PREVIOUS_KEY']).toMatch(/^[0-9a-f]{64}$/);
});
