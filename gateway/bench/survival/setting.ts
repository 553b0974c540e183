import type { ChildProcess } from 'node:child_process';
import type { ControlPlane } from '../../harness/gateway.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import { freePorts, reachable } from '../measure.ts';
import type { MeasuredProxy, Processes } from '../peers.ts';

export interface SurvivalOptions {
  readonly scenarios: readonly string[];
  /** Of each attack in all its rounds, of the time without the control plane, and of the load while processes are killed. */
  readonly seconds: number;
  /** How often each proxy is attacked. */
  readonly rounds: number;
  /** Legitimate requests per second. */
  readonly rate: number;
  /** Which attacks. */
  readonly attacks: readonly string[];
  /** Connections of each attack. */
  readonly attackers: number;
  /** MiB that are streamed each way. */
  readonly mebibytes: number;
  /** WebSockets that are open through a reload. */
  readonly sockets: number;
  /** How long the gateway that is reloaded may drain. */
  readonly drainSeconds: number;
  readonly print: (line: string) => void;
}

/** What a scenario finds when it begins. */
export interface Setting {
  /** The gateway that lives through all scenarios. */
  readonly proxy: MeasuredProxy;
  readonly directory: string;
  readonly redisPort: number;
  /** What legitimate requests are for, and what attackers ask. */
  readonly instancePort: number;
  readonly attackedPort: number;
  readonly redis: ChildProcess;
  readonly control: ControlPlane;
  readonly processes: Processes;
  readonly options: SurvivalOptions;
}

/** Returns whether it held. */
export type Scenario = (setting: Setting) => Promise<boolean>;

/** An instance in a process of its own, once it takes connections; on `port`, or on a free one. */
export async function startInstance(
  processes: Processes,
  port?: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const [free = 0] = port === undefined ? await freePorts(1) : [port];
  const child = processes.start(process.execPath, [
    new URL('../survival-instance.ts', import.meta.url).pathname,
    String(free),
  ]);
  await reachable(free);
  return { child, port: free };
}

/** A gateway of the scenario's own, beside the one that lives through all; it may not serve yet. */
export async function startOwnGateway(
  { directory, redisPort, processes }: Setting,
  id: string,
  control: ControlPlane,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const [port = 0] = await freePorts(1);
  const child = startGatewayProcess(processes, { id, port, controlUrl: control.url, redisPort, directory });
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      await exited(child);
    },
  };
}

/** Resolves with the exit code of a child, or null where a signal ended it. */
export function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
