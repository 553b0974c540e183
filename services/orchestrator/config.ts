import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

const listOf = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

export const orchestratorConfig = defineConfig('orchestrator', {
  SKYRUN_DOCKER_SOCKET: {
    schema: configTypes.text,
    default: '/var/run/docker.sock',
    doc: 'socket of the Docker Engine that runs instances; with swarm, of a manager',
  },
  SKYRUN_RUNTIME: {
    schema: z.enum(['docker', 'swarm']),
    default: 'docker',
    doc: 'what runs instances: docker (one engine) or swarm (the engines of a Docker Swarm)',
  },
  SKYRUN_SWARM_ENGINES: {
    schema: listOf,
    default: '',
    doc: 'with swarm: engines that instances may run on beside the manager at SKYRUN_DOCKER_SOCKET, as sockets or tcp://host:port, separated by commas',
  },
  SKYRUN_INSTALLATION: {
    schema: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens'),
    default: 'default',
    doc: 'tells this installation’s containers from those of others on the same engine',
  },
  SKYRUN_NODE: { schema: configTypes.text, default: 'local', doc: 'name of the machine that instances run on' },
  SKYRUN_NETWORK_POOL: {
    schema: configTypes.text,
    default: '10.210.0.0/16',
    doc: 'IPv4 range that the networks of projects are cut from',
  },
  SKYRUN_NETWORK_PREFIX: {
    schema: configTypes.integer.min(8).max(29),
    default: '26',
    doc: 'prefix length of one project’s network; 26 holds 61 instances',
  },
  SKYRUN_TENANT_EGRESS: {
    schema: configTypes.flag,
    default: 'true',
    doc: 'whether tenants’ containers may reach addresses outside of the machine',
  },
  SKYRUN_NETWORK_RULES: {
    schema: z.enum(['auto', 'required', 'off']),
    default: 'auto',
    doc: 'rules of the packet filter that keep tenants’ containers from the machine’s own servers and from denied ranges: auto (set where the orchestrator is root; else it warns), required (no container starts without them) or off; with swarm they are the operator’s, on each node',
  },
  SKYRUN_DENIED_RANGES: {
    schema: listOf.pipe(z.array(z.cidrv4('expected IPv4 ranges such as 10.0.0.0/8'))),
    default: '169.254.0.0/16,168.63.129.16/32,100.100.100.200/32',
    doc: 'IPv4 ranges that tenants’ containers may not reach, separated by commas; the default is the metadata services of clouds',
  },
  SKYRUN_PIDS_LIMIT: {
    schema: configTypes.integer.min(16),
    default: '1024',
    doc: 'most processes and threads of one instance',
  },
  SKYRUN_LEASE_TTL_MS: {
    schema: configTypes.integer.min(500),
    default: '2000',
    doc: 'milliseconds after which a silent leader is replaced',
  },
  SKYRUN_LOG_RETENTION_HOURS: {
    schema: configTypes.integer.min(1),
    default: '168',
    doc: 'hours that log lines of instances are kept',
  },
  SKYRUN_LOG_SERVICE_MIB: {
    schema: configTypes.integer.min(1),
    default: '64',
    doc: 'most that the kept log lines of one service take in PostgreSQL, compressed about ten to one; the oldest go first',
  },
});

export type OrchestratorConfig = ConfigOf<typeof orchestratorConfig>;
