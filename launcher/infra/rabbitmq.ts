import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServerProcess } from './server.ts';

export const RABBITMQ_USER = 'skyrun';

export interface RabbitmqOptions {
  readonly dataDir: string;
  readonly port: number;
  /** Port of the Erlang distribution, needed by rabbitmqctl and by nothing else. */
  readonly distributionPort: number;
  /** Port of our own epmd: the machine's, if any, is left alone. */
  readonly epmdPort: number;
  readonly password: string;
  /** Keeps the Erlang node from accepting strangers; alphanumeric. */
  readonly cookie: string;
}

/** Debian puts a wrapper in PATH that changes user and drops the environment, so the script behind it is run. */
const SCRIPTS = [
  '/usr/lib/rabbitmq/bin/rabbitmq-server',
  '/usr/sbin/rabbitmq-server',
  '/usr/local/sbin/rabbitmq-server',
];

/**
 * Write the configuration and say how to run a private RabbitMQ: first epmd, then the broker, both as children of ours.
 * @throws Error when rabbitmq-server is not installed
 */
export function prepareRabbitmq(options: RabbitmqOptions): { epmd: ServerProcess; broker: ServerProcess } {
  const script = SCRIPTS.find((path) => existsSync(path));
  if (script === undefined) throw new Error('rabbitmq-server is not installed (apt-get install rabbitmq-server)');
  const dataDir = resolve(options.dataDir);
  mkdirSync(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, '.erlang.cookie'), options.cookie, {
    mode: 0o400,
    flag: existsSync(join(dataDir, '.erlang.cookie')) ? 'r+' : 'w',
  });
  writeFileSync(join(dataDir, 'enabled_plugins'), '[].\n');
  writeFileSync(join(dataDir, 'advanced.config'), '[].\n');
  writeFileSync(join(dataDir, 'rabbitmq-env.conf'), '');
  writeFileSync(
    join(dataDir, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${options.port}`,
      `default_user = ${RABBITMQ_USER}`,
      `default_pass = ${options.password}`,
      'log.console = true',
      'log.console.level = info',
      'log.file = false',
      // One broker on a developer's disk: stop accepting before the disk is full, not at 40 % of its memory.
      'disk_free_limit.absolute = 200MB',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const shared = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: dataDir,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(options.epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  const common = { cwd: dataDir, account: null, deathSignal: 'SIGKILL', stopSignal: 'SIGTERM' } as const;
  return {
    epmd: {
      ...common,
      command: 'epmd',
      args: ['-port', String(options.epmdPort), '-address', '127.0.0.1'],
      env: shared,
      stopGraceMs: 1_000,
      ready: { kind: 'tcp', port: options.epmdPort },
      readyWithinMs: 10_000,
    },
    broker: {
      ...common,
      command: script,
      args: [],
      env: {
        ...shared,
        // Makes the script exec Erlang, so that our signals reach the broker and no shell stays between.
        RUNNING_UNDER_SYSTEMD: 'true',
        RABBITMQ_NODENAME: 'skyrun@localhost',
        RABBITMQ_DIST_PORT: String(options.distributionPort),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none`,
        RABBITMQ_CONF_ENV_FILE: join(dataDir, 'rabbitmq-env.conf'),
        RABBITMQ_CONFIG_FILE: join(dataDir, 'rabbitmq'),
        RABBITMQ_ADVANCED_CONFIG_FILE: join(dataDir, 'advanced.config'),
        RABBITMQ_CONFIG_FILES: join(dataDir, 'conf.d'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(dataDir, 'enabled_plugins'),
        RABBITMQ_MNESIA_BASE: join(dataDir, 'mnesia'),
        RABBITMQ_LOG_BASE: join(dataDir, 'log'),
        RABBITMQ_PID_FILE: join(dataDir, 'rabbitmq.pid'),
        RABBITMQ_GENERATED_CONFIG_DIR: join(dataDir, 'config'),
      },
      stopGraceMs: 20_000,
      ready: { kind: 'amqp', port: options.port },
      readyWithinMs: 60_000,
    },
  };
}

export function rabbitmqUrl(port: number, password: string): string {
  return `amqp://${RABBITMQ_USER}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
}
