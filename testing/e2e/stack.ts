import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { OPERATIONS } from '@skyrun/contracts';
import { type Client, createClient } from '@skyrun/kit';
import { freePort } from '@skyrun/launcher/infra';
import { temporaryDirectory } from '../directory.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly ms: number;
}

/** A whole Skyrun of its own: data directory, port, session and containers, driven through `./skyrun` like a person would. */
export interface Stack {
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
  readonly email: string;
  readonly password: string;
  /** What the first `up` printed and how long it took. */
  readonly firstUp: Outcome;
  skyrun(args: readonly string[], input?: string): Promise<Outcome>;
  up(): Promise<Outcome>;
  /** A client of the administrator. */
  api(): Promise<Client>;
  /** A request to a host behind the gateway; `host` without port. */
  get(host: string, path?: string, headers?: Record<string, string>): Promise<Answer>;
  /** Pid of a supervised process by name. */
  pid(name: string): Promise<number>;
  /** Stops everything and removes the data. */
  end(): Promise<void>;
}

export interface StackOptions {
  readonly flags?: readonly string[];
  /** Variables of the operator, e.g. `SKYRUN_BILLING_FREE_TIER`. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startStack({ flags = [], environment: own = {} }: StackOptions = {}): Promise<Stack> {
  const temporary = temporaryDirectory('skyrun-e2e');
  const directory = temporary.path;
  const dataDir = join(directory, 'data');
  const port = await freePort();
  const environment = { ...process.env, ...own, SKYRUN_SESSION_FILE: join(directory, 'session.json') };
  const skyrun = (args: readonly string[], input = '') => run(join(ROOT, 'skyrun'), args, input, environment);
  const upArgs = ['up', '--data-dir', dataDir, '--port', String(port), '--while', String(process.pid), ...flags];

  const firstUp = await skyrun(upArgs);
  if (firstUp.code !== 0) {
    throw new Error(`up failed with ${firstUp.code}\n${firstUp.stdout}\n${firstUp.stderr}\n${await tails(dataDir)}`);
  }
  const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>;
  const email = String(secrets['adminEmail']);
  const password = String(secrets['adminPassword']);
  const url = `http://127.0.0.1:${port}`;

  return {
    port,
    url,
    dataDir,
    email,
    password,
    firstUp,
    skyrun,
    up: () => skyrun(upArgs),
    async api() {
      const tokens = await createClient({ baseUrl: url }).call(OPERATIONS.signIn, { body: { email, password } });
      return createClient({ baseUrl: url, token: () => tokens.accessToken });
    },
    get: (host, path = '/', headers = {}) => get(port, `${host}:${port}`, path, headers),
    async pid(name) {
      const status = await skyrun(['status', '--json', '--data-dir', dataDir]);
      const { processes } = JSON.parse(status.stdout) as { processes: { name: string; pid: number | null }[] };
      const found = processes.find((each) => each.name === name);
      if (!found?.pid) throw new Error(`no process ${name} in ${status.stdout}`);
      return found.pid;
    },
    async end() {
      const down = await skyrun(['down', '--data-dir', dataDir]);
      if (down.code !== 0) throw new Error(`down failed: ${down.stdout} ${down.stderr}`);
      temporary.remove();
    },
  };
}

async function tails(dataDir: string): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-c', `tail -n 15 ${dataDir}/logs/*.log`], '', process.env);
  return stdout;
}

export function run(
  command: string,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    // `exit`, not `close`: what `up` leaves in the background must not keep us.
    child.on('exit', (code) =>
      setImmediate(() =>
        resolve({
          code: code ?? -1,
          stdout: Buffer.concat(out).toString(),
          stderr: Buffer.concat(err).toString(),
          ms: performance.now() - started,
        }),
      ),
    );
    // A child may end before it has read anything; that is its own affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

export function get(port: number, host: string, path: string, headers: Record<string, string>): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, headers: { ...headers, host }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
          ms: performance.now() - started,
        }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}
