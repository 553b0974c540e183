import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../command.ts';
import { ownEngine, stopEngine } from '../infra/index.ts';
import type { Layout } from '../layout.ts';
import { runningState } from '../up/follow.ts';
import { prepareMachine } from '../up/prepare-machine.ts';
import type { Progress } from '../up/progress.ts';
import { buildUi } from '../up/ui.ts';
import { checks } from './checks.ts';
import { slowest, type Tally, tally, vitestResults } from './results.ts';

const KINDS = ['check', 'unit', 'integration', 'e2e'] as const;
type Kind = (typeof KINDS)[number];

export interface TestOptions {
  readonly kinds: readonly string[];
  /** Put generated documents right. */
  readonly write: boolean;
}

/** Run kinds of tests, all by default. The last line is `N passed, N failed`; resolves with the exit code. */
export async function test({ kinds, write }: TestOptions, layout: Layout, progress: Progress): Promise<number> {
  const unknown = kinds.find((kind) => !KINDS.some((known) => known === kind));
  if (unknown !== undefined)
    throw new UsageError(`there is no kind of test called ${unknown}; there are ${KINDS.join(', ')}`);
  const chosen = KINDS.filter((kind) => kinds.length === 0 || kinds.includes(kind));
  const engineBefore = ownEngine(layout.engine);
  const tallies: Tally[] = [];
  try {
    if (chosen.includes('integration') || chosen.includes('e2e')) {
      await prepareMachine(layout, progress, { distributed: true, tests: true });
    }
    if (chosen.includes('e2e')) await buildUi(layout, progress);
    for (const kind of chosen) {
      tallies.push(
        kind === 'check' ? await runChecks(layout.root, write, progress) : await runVitest(layout.root, kind, progress),
      );
    }
  } finally {
    // An engine that was started for the tests ends with them, unless an installation has come to use it meanwhile.
    if (engineBefore === null && runningState(layout) === null) await stopEngine(layout.engine);
  }
  const sum = (pick: (each: Tally) => number): number => tallies.reduce((total, each) => total + pick(each), 0);
  const slow = slowest(tallies, 10);
  if (slow.length > 0) progress.line(`\nslowest:\n${slow.join('\n')}`);
  const failed = sum((each) => each.failed);
  progress.line(`\n${sum((each) => each.passed)} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function runChecks(root: string, write: boolean, progress: Progress): Promise<Tally> {
  progress.line('\ncheck');
  let failed = 0;
  const all = checks(root, write);
  for (const check of all) {
    const complaint: string | null = await progress
      .step(check.name, async () => {
        const found = await check.run();
        if (found !== null) throw new CheckFailed(found);
        return null;
      })
      .catch((error: unknown) => {
        if (error instanceof CheckFailed) return error.message;
        throw error;
      });
    if (complaint === null) continue;
    failed += 1;
    progress.line(complaint);
  }
  return { passed: all.length - failed, failed, slow: [] };
}

class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

async function runVitest(root: string, kind: Exclude<Kind, 'check'>, progress: Progress): Promise<Tally> {
  progress.line(`\n${kind}`);
  const directory = mkdtempSync(join(tmpdir(), 'skyrun-results-'));
  const results = join(directory, 'results.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
    const exitCode = await runToEnd(root, [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--project',
      kind,
      ...reporters,
    ]);
    if (!existsSync(results)) return { passed: 0, failed: exitCode === 0 ? 0 : 1, slow: [] };
    return tally(vitestResults.parse(JSON.parse(readFileSync(results, 'utf8'))), exitCode);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runToEnd(root: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
