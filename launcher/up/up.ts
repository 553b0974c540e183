import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@skyrun/kit';
import { type Administrator, firstAdministrator } from '../administrator.ts';
import { checkReady } from '../infra/index.ts';
import { openInstallation } from '../installation.ts';
import type { Layout } from '../layout.ts';
import { type Lock, tryLock } from '../lock.ts';
import type { ProcessId } from '../process-id.ts';
import { supervise } from '../supervisor/run.ts';
import type { SupervisorState } from '../supervisor/state.ts';
import type { Shape } from '../topology.ts';
import { followStart, runningState, settledState } from './follow.ts';
import { prepareMachine } from './prepare-machine.ts';
import type { Progress } from './progress.ts';
import { ensureSample, type Sample } from './sample.ts';
import { buildUi } from './ui.ts';

export interface UpOptions {
  readonly layout: Layout;
  readonly shape: Shape;
  readonly gatewayPort: number;
  readonly foreground: boolean;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** A process whose end ends the installation too; for tests and scripts. */
  readonly owner?: ProcessId;
}

/**
 * Bring an installation up; changes nothing about one that is up.
 * Resolves when everything answers, the sample service included; in the foreground, when everything has stopped again.
 * @throws Error with the reason when something does not come up
 */
export async function up(options: UpOptions): Promise<void> {
  const { layout, progress, foreground } = options;
  const from = performance.now();
  const installation = openInstallation(layout.secrets);
  const administrator = firstAdministrator(installation);
  const lock = await waitForLock(`${installation.id}/up`, progress);
  let attached: Promise<void> | null = null;
  try {
    const before = await settledState(layout, progress);
    if (before !== null) refuseDifference(before, options);
    await prepareMachine(layout, progress, { distributed: options.shape === 'distributed', tests: false });
    await buildUi(layout, progress);
    let run: { readonly pid: number; ended(): boolean } = {
      pid: before?.supervisor.pid ?? process.pid,
      ended: () => runningState(layout) === null,
    };
    if (before === null && foreground) {
      const inside = track(supervise(options));
      attached = inside.done;
      run = { pid: process.pid, ended: inside.ended };
    } else if (before === null) run = await startSupervisor(options);
    const state = await Promise.race([followStart(layout, progress, run.pid, run.ended), aborted(options.signal)]);
    if (state !== null) {
      await everythingAnswers(layout);
      const sample = await Promise.race([
        ensureSample({ ...options, administrator, baseDomain: state.baseDomain }),
        aborted(options.signal),
      ]);
      if (sample !== null && !options.signal.aborted)
        progress.line(summary(state, administrator, sample, performance.now() - from));
    }
  } finally {
    await lock.release();
  }
  if (attached !== null) {
    if (!options.signal.aborted) progress.line('Ctrl-C stops everything.');
    await attached;
  }
}

function summary(state: SupervisorState, administrator: Administrator, sample: Sample, ms: number): string {
  const { email, password, chosen } = administrator;
  const known = chosen ? '(the password that you chose)' : password;
  return [
    '',
    `Skyrun is up (${(ms / 1_000).toFixed(1)} s).`,
    ...(sample.url === null ? [] : [`  sample  ${sample.url}`]),
    `  UI      http://${state.baseDomain}:${state.gatewayPort}/`,
    `  login   ${email}  ${sample.passwordHolds ? known : '(its password is another by now; the sample was left as it is)'}`,
    '',
  ].join('\n');
}

function refuseDifference(state: SupervisorState, options: UpOptions): void {
  if (state.shape !== options.shape || state.gatewayPort !== options.gatewayPort) {
    throw new Error(
      `it is already up, ${state.shape} on port ${state.gatewayPort}; for anything else run ./skyrun down first`,
    );
  }
  if (options.foreground) throw new Error('it is already up in the background; run ./skyrun down first');
}

async function waitForLock(name: string, progress: Progress): Promise<Lock> {
  const lock = await tryLock(name);
  if (lock !== null) return lock;
  return progress.step('wait for another up or down to finish', async () => {
    for (;;) {
      const later = await tryLock(name);
      if (later !== null) return later;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
}

/** Start the supervisor in a session of its own, so that it outlives this terminal; tells whether it has ended. */
async function startSupervisor({
  layout,
  shape,
  gatewayPort,
  owner,
}: UpOptions): Promise<{ pid: number; ended(): boolean }> {
  mkdirSync(layout.logs, { recursive: true });
  const output = openSync(join(layout.logs, 'supervisor.log'), 'a');
  const flags = [
    '--data-dir',
    layout.dataDir,
    '--port',
    String(gatewayPort),
    ...(shape === 'distributed' ? ['--distributed'] : []),
    ...(owner === undefined ? [] : ['--while', String(owner.pid)]),
  ];
  const child = spawn(process.execPath, [join(layout.root, 'launcher', 'supervisor', 'main.ts'), ...flags], {
    cwd: layout.root,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  await once(child, 'spawn');
  child.unref();
  return { pid: child.pid ?? 0, ended: () => child.exitCode !== null || child.signalCode !== null };
}

function track(work: Promise<void>): { done: Promise<void>; ended: () => boolean } {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  // Looked at by whoever awaits `done`; a failure before that must not count as unhandled.
  done.catch(() => undefined);
  return { done, ended: () => over };
}

/** What died a moment ago is being restarted: an answer now would only say so. */
const RESTART_LIMIT_MS = 60_000;

async function everythingAnswers(layout: Layout): Promise<void> {
  const until = performance.now() + RESTART_LIMIT_MS;
  for (;;) {
    const state = runningState(layout);
    if (state === null) throw new Error(`the supervisor has ended; its log: ${layout.logs}/supervisor.log`);
    const silent = state.processes.filter((process) => process.state !== 'ready').map((process) => process.name);
    const edge = await checkReady({ kind: 'tcp', port: state.gatewayPort });
    if (silent.length === 0 && edge.ok) return;
    if (performance.now() > until) {
      if (silent.length > 0) throw new Error(`${silent.join(', ')} not ready; see ./skyrun status`);
      throw new Error(`nothing listens on port ${state.gatewayPort}`);
    }
    await sleep(50);
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
