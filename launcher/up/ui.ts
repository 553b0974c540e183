import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingerprint } from '@skyrun/kit/base';
import type { Layout } from '../layout.ts';
import type { Progress } from './progress.ts';

/** Build the UI unless the last build was of the same sources. */
export async function buildUi(layout: Layout, progress: Progress): Promise<void> {
  const folder = join(layout.root, 'ui');
  const sources = fingerprint([
    folder,
    join(layout.root, 'shared', 'contracts'),
    join(layout.root, 'package-lock.json'),
  ]);
  const built = existsSync(join(folder, 'dist', 'index.html')) && existsSync(layout.uiStamp);
  if (built && readFileSync(layout.uiStamp, 'utf8') === sources) return;
  await progress.step('build the UI', () => runVite(layout.root, folder));
  mkdirSync(dirname(layout.uiStamp), { recursive: true });
  writeFileSync(layout.uiStamp, sources);
}

function runVite(root: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the UI does not build:\n${output}`))));
  });
}
