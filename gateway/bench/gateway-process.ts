import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { bundleGateway } from '../bundle/bundle.ts';
import { GATEWAY_ENVIRONMENT, GATEWAY_SWITCHES } from '../switches.ts';
import type { Processes } from './peers.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
/** As the launcher gives it. */
const COMPILE_CACHE = join(ROOT, '.skyrun', 'cache', 'compile');
/** What the launcher runs, made here if need be. */
const PROGRAM = await bundleGateway(ROOT);

export interface MeasuredGateway {
  /** `bench` by default. */
  readonly id?: string;
  readonly port: number;
  /** Of what stands for registry, orchestrator, identity, events and billing. */
  readonly controlUrl: string;
  readonly redisPort: number;
  readonly directory: string;
  readonly nodeFlags?: readonly string[];
  /** Further variables of its configuration. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A gateway in a process of its own, as the launcher starts it. */
export function startGatewayProcess(processes: Processes, options: MeasuredGateway): ChildProcess {
  return processes.startProxy(process.execPath, [...(options.nodeFlags ?? GATEWAY_SWITCHES), PROGRAM], {
    ...GATEWAY_ENVIRONMENT,
    SKYRUN_GATEWAY_ID: options.id ?? 'bench',
    SKYRUN_PORT: String(options.port),
    SKYRUN_DATA_DIR: options.directory,
    SKYRUN_INTERNAL_TOKEN: 'bench-token-bench-token-bench-token-bench',
    SKYRUN_REDIS_URL: `redis://127.0.0.1:${options.redisPort}`,
    SKYRUN_LOG_LEVEL: 'error',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...Object.fromEntries(
      ['IDENTITY', 'REGISTRY', 'ORCHESTRATOR', 'EVENTS', 'BILLING'].map((name) => [
        `SKYRUN_${name}_URL`,
        options.controlUrl,
      ]),
    ),
    ...options.environment,
  });
}
