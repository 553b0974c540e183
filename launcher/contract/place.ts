import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../infra/index.ts';
import { readInstallation } from '../installation.ts';
import { type Layout, layoutOf } from '../layout.ts';
import type { SupervisorState } from '../supervisor/state.ts';
import { runningState } from '../up/follow.ts';
import type { Progress } from '../up/progress.ts';

/** An installation to look at. */
export interface Place {
  readonly state: SupervisorState;
  readonly email: string;
  readonly password: string;
  end(): Promise<void>;
}

/** Low enough to be reached in a moment by a program that multiplies. */
const PRIVATE_PROCESS_LIMIT = '128';

/** The installation of the data directory where one runs, else one of its own that ends with this run. */
export async function openPlace(layout: Layout, apart: boolean, progress: Progress): Promise<Place> {
  const running = apart ? null : runningState(layout);
  if (running !== null && running.phase === 'ready') {
    progress.line(`the running installation on port ${running.gatewayPort}`);
    return placeOf(layout, running, async () => undefined);
  }
  return progress.step('start a private Skyrun', () => startOwn(layout.root));
}

async function startOwn(root: string): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'skyrun-contract-'));
  const layout = layoutOf(root, join(directory, 'data'));
  const skyrun = (...args: string[]) => run(join(root, 'skyrun'), [...args, '--data-dir', layout.dataDir]);
  const end = async () => {
    await skyrun('down');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await skyrun('up', '--port', String(await freePort()), '--while', String(process.pid));
    const state = runningState(layout);
    if (state === null) throw new Error('the private Skyrun has ended');
    return placeOf(layout, state, end);
  } catch (error) {
    await end();
    throw error;
  }
}

function placeOf(layout: Layout, state: SupervisorState, end: () => Promise<void>): Place {
  const installation = readInstallation(layout.secrets);
  if (installation === null) throw new Error(`${layout.secrets} is missing`);
  return { state, email: installation.adminEmail, password: installation.adminPassword, end };
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('env', [`SKYRUN_PIDS_LIMIT=${PRIVATE_PROCESS_LIMIT}`, command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const hear = (piece: Buffer) => {
      output += piece.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    // `exit`, not `close`: what `up` leaves in the background holds the pipes.
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`skyrun ${args[0]} failed with ${code}\n${output}`)),
    );
  });
}
