import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '@skyrun/kit';
import { checkReady, type GuardedProcess, type ReadyCheck, type ServerProcess, startGuarded } from '../infra/index.ts';

export type PartyKind = 'service' | 'consumer' | 'broker' | 'database' | 'cache' | 'helper';

export interface PartySpec extends Omit<ServerProcess, 'ready'> {
  readonly name: string;
  /** Null: nobody can ask it, and running is enough. */
  readonly ready: ReadyCheck | null;
  readonly kind: PartyKind;
}

const RESTART_MS = 200;
const POLL_MS = 50;

/**
 * One process of the laboratory, kept running as a supervisor would, and open to every ill treatment.
 *
 *   held ──up──► starting ──answers──► running ──ends──► starting …       hold / end: back to held
 */
export class Party {
  readonly spec: PartySpec;
  readonly #clock: Clock;
  readonly #log: string;
  #wanted = false;
  #retired = false;
  #environment: Readonly<Record<string, string>> = {};
  #process: GuardedProcess | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: PartySpec, log: string, clock: Clock) {
    this.spec = spec;
    this.#log = log;
    this.#clock = clock;
  }

  get name(): string {
    return this.spec.name;
  }

  /**
   * Resolves when it answers; starts it as often as that takes.
   * @param environment variables on top of its own, until it is brought up anew
   * @throws Error when it does not answer in time
   */
  async up(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    if (!this.#wanted && !this.#retired) {
      this.#wanted = true;
      this.#environment = environment;
      this.#loop = this.#keep();
    }
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    const until = this.#clock.monotonic() + 3 * this.spec.readyWithinMs;
    while (!(this.#process?.running() && (await this.#answers()))) {
      if (this.#retired) throw new Error(`${this.name} is not needed any more`);
      if (this.#clock.monotonic() > until) {
        throw new Error(`${this.name} does not come up; its log ends with:\n${this.tail()}`);
      }
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** SIGKILL. It is started again at once. */
  async kill(): Promise<void> {
    const current = this.#process;
    this.#signalTree('SIGCONT');
    await current?.stop('SIGKILL', 1_000);
  }

  /** SIGKILL, and it stays away until `up`. */
  async killAndHold(): Promise<void> {
    this.#wanted = false;
    await this.kill();
    await this.#loop;
  }

  /** Asked to end as an operator would; it stays away until `up`. */
  async end(): Promise<void> {
    this.#wanted = false;
    this.#signalTree('SIGCONT');
    await this.#process?.stop(this.spec.stopSignal, this.spec.stopGraceMs);
    await this.#loop;
  }

  /** Nothing brings it up any more. */
  retire(): void {
    this.#retired = true;
  }

  /** SIGSTOP: its connections stay open and it does nothing. */
  pause(): void {
    this.#signalTree('SIGSTOP');
  }

  resume(): void {
    this.#signalTree('SIGCONT');
  }

  tail(): string {
    return readFileSync(this.#log, 'utf8').slice(-2_000);
  }

  async #answers(): Promise<boolean> {
    return this.spec.ready === null || (await checkReady(this.spec.ready)).ok;
  }

  async #keep(): Promise<void> {
    while (this.#wanted) {
      const output = openSync(this.#log, 'a');
      const env = { ...this.spec.env, ...this.#environment };
      const started = await startGuarded({ ...this.spec, env, output }).finally(() => closeSync(output));
      this.#process = started;
      await started.exited;
      this.#process = null;
      if (this.#wanted) await this.#clock.sleep(RESTART_MS);
    }
  }

  /** PostgreSQL and RabbitMQ are more than one process, and a stopped parent alone stops nothing. */
  #signalTree(signal: NodeJS.Signals): void {
    if (!this.#process?.running()) return;
    for (const pid of [this.#process.pid, ...descendants(this.#process.pid)]) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // A child that ended meanwhile needs no signal.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
  }
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (
    let level = children.get(root) ?? [];
    level.length > 0;
    level = level.flatMap((pid) => children.get(pid) ?? [])
  ) {
    found.push(...level);
  }
  return found;
}

/** Null when the process has ended since it was listed. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name is in brackets and may hold anything; what follows its last bracket is: state, parent, ….
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
