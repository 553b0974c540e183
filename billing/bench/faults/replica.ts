import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CONSUMER = fileURLToPath(new URL('./consumer.ts', import.meta.url));

/** A replica of billing in a process of its own. */
export class Replica {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** Resolves when it consumes; it may end before that, while the database or the broker is away. */
  static async start(databaseUrl: string, brokerUrl: string): Promise<Replica> {
    const child = spawn(process.execPath, [CONSUMER, databaseUrl, brokerUrl], { stdio: ['ignore', 'pipe', 'ignore'] });
    const replica = new Replica(child);
    await Promise.race([new Promise((resolve) => child.stdout?.once('data', resolve)), replica.#exited]);
    return replica;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
