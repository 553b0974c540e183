import type { SecretKeyRef } from '@skyrun/contracts';

/**
 * What runs instances. An adapter turns six verbs on instances (start, stop, list, watch, stats, logs) and three on
 * images (import, pull, remove) into calls of one engine; everything above it knows only these.
 *
 * An instance's container has a name that follows from the instance id alone, so an engine refuses a second one, and
 * carries its whole identity as labels, so that a list is enough to adopt it after a restart.
 *
 *   absent ──start──► created ──► running ──stop / exit──► exited ──stop(remove)──► absent
 *                                 │     ▲                    │
 *                           pause │     │ resume             │
 *                                 ▼     │                    │
 *                                running, paused             └──restart──► running
 *
 * What `supports` denies is never asked for; an adapter rejects it with `unsupported`.
 */

/** Who an instance is, as far as the engine must remember it. */
export interface InstanceIdentity {
  readonly instanceId: string;
  readonly project: string;
  readonly service: string;
  readonly serviceId: string;
  readonly revisionId: string;
  readonly revisionName: string;
  readonly port: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly billingMode: 'request' | 'instance';
  readonly terminationGraceSeconds: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

export interface InstanceSpec extends InstanceIdentity {
  /** Name under which the engine holds the image. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  /** Number of the user; absent: what the image says. */
  readonly runAsUser?: number;
  /** Complete but for what the image sets: the platform's own variables are in it. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Variables whose values are secrets; they are in `env` before an engine sees the specification. */
  readonly secrets?: readonly { readonly name: string; readonly secret: SecretKeyRef }[];
}

export interface RuntimeInstance {
  readonly identity: InstanceIdentity;
  readonly state: 'created' | 'running' | 'exited';
  /** Running, but frozen: it has its memory and its address, and does nothing. */
  readonly paused?: boolean;
  /** Where it can be reached while it runs. */
  readonly address?: string;
  /** The port at that address, where the engine publishes its port under another number. */
  readonly port?: number;
  /** Unix milliseconds by the engine's clock. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
}

export interface StartResult {
  readonly instance: RuntimeInstance;
  /** Milliseconds; 0 where nothing was to do. */
  readonly createMs: number;
  readonly startMs: number;
}

export interface StopOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Also forget it. Without, its end can still be read from `list`, so that it can be written down first. */
  readonly remove: boolean;
}

/** Something happened to an instance (look at it again), or, without an id, anything may have. */
export interface RuntimeChange {
  readonly instanceId: string | null;
  /** Where the engine says no more than what whoever started it hears anyway. */
  readonly did?: 'made' | 'started';
}

export interface InstanceStats {
  /** Unix milliseconds. */
  readonly at: number;
  /** CPU time used since the start, in milliseconds. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface RuntimeLogLine {
  readonly at: number;
  /** RFC 3339 with nanoseconds, 30 characters: within one stream of an instance each is greater than the one before. */
  readonly position: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface LogOptions {
  /** Go on with new lines until the instance ends or the signal aborts. */
  readonly follow: boolean;
  /** How many lines of the past at most. */
  readonly tail: number | 'all';
  /** Unix milliseconds: none that is older; a few more than asked for may come. */
  readonly since?: number;
  readonly signal?: AbortSignal;
}

export interface RuntimeImages {
  /** Loads a docker archive. Answers the id (digest of the configuration) under which `reference` now stands. */
  import(archive: AsyncIterable<Uint8Array>, reference: string, signal?: AbortSignal): Promise<{ id: string }>;
  pull(reference: string, signal?: AbortSignal): Promise<{ id: string }>;
  /** An image that is not there is removed already. Throws `image_in_use`. */
  remove(reference: string): Promise<void>;
}

/** What an engine can do beside what every engine must. */
export interface RuntimeAbilities {
  /** `pause` and `resume`. */
  readonly pause: boolean;
  readonly restart: boolean;
  readonly exec: boolean;
}

/** Throws where this process must change nothing any more. What takes several steps asks before each that has an effect. */
export type MayAct = () => void;

export const anybodyMay: MayAct = () => undefined;

export interface Runtime {
  readonly name: string;
  readonly supports: RuntimeAbilities;
  readonly images: RuntimeImages;
  /** Creates and starts it, or finds it already there; never makes a second one and never restarts an exited one. */
  start(spec: InstanceSpec, mayAct?: MayAct): Promise<StartResult>;
  /** Null when it is not there. Resolves when it has ended. */
  stop(instanceId: string, options: StopOptions, mayAct?: MayAct): Promise<RuntimeInstance | null>;
  /** Freezes it; one that is frozen stays so. False when it does not run. */
  pause(instanceId: string, mayAct?: MayAct): Promise<boolean>;
  /** Lets it go on; one that goes on already does. False when it does not run. */
  resume(instanceId: string, mayAct?: MayAct): Promise<boolean>;
  /** Runs one that has ended or was stopped again, as it was first started. Null when it is not there. */
  restart(instanceId: string, mayAct?: MayAct): Promise<StartResult | null>;
  /** Runs a program in it and answers its exit code; null when the instance does not run or the time is over. */
  exec(instanceId: string, command: readonly string[], options: { readonly timeoutMs: number }): Promise<number | null>;
  /** Every instance of this installation, or the named one. */
  list(instanceId?: string): Promise<RuntimeInstance[]>;
  /** Ends when the signal aborts; survives the engine's restarts. Begins with a change without an id. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeChange>;
  /** Null when it does not run. */
  stats(instanceId: string): Promise<InstanceStats | null>;
  /** Ends at once when it is not there. */
  logs(instanceId: string, options: LogOptions): AsyncIterable<RuntimeLogLine>;
  /** Lets go of what only projects outside `projects` needed, such as their networks. */
  tidy(projects: ReadonlySet<string>): Promise<void>;
  /** `ok` where instances can reach neither the machine nor metadata services, else why they can. */
  networkRules?(): string;
  /** Throws `unavailable` when the engine does not answer. */
  ping(): Promise<void>;
}

/**
 * `unavailable`: the engine does not answer, nothing can be said about the instance; try again.
 * The others are verdicts on what was asked.
 */
export type RuntimeProblem =
  | 'unavailable'
  | 'image_missing'
  | 'image_refused'
  | 'image_in_use'
  | 'cannot_start'
  | 'no_capacity'
  | 'unsupported';

export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeProblem;

  constructor(code: RuntimeProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
