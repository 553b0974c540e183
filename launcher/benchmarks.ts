import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from './command.ts';
import type { Progress } from './up/progress.ts';

/** Folders that may hold a `bench/`. */
const PARENTS = ['shared', 'services'];

/** Every `<package>/bench/NAME.bench.ts`, by name, and `<package>/bench.ts`: a benchmark lives beside what it measures. */
export function benchmarks(root: string): Map<string, string> {
  const packages = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .flatMap(({ name }) =>
      PARENTS.includes(name) ? readdirSync(join(root, name)).map((inner) => join(name, inner)) : [name],
    );
  return new Map(
    packages.flatMap((path) => {
      const single = join(root, path, 'bench.ts');
      if (existsSync(single)) return [[basename(path), single] as const];
      const folder = join(root, path, 'bench');
      if (!existsSync(folder)) return [];
      const files = readdirSync(folder).filter((file) => /^[a-z][a-z0-9-]*\.bench\.ts$/.test(file));
      return files.map((file) => [file.slice(0, -'.bench.ts'.length), join(folder, file)] as const);
    }),
  );
}

export async function bench(args: readonly string[], root: string, progress: Progress): Promise<number> {
  const [name, ...rest] = args;
  const all = benchmarks(root);
  if (name === undefined) {
    progress.line(all.size === 0 ? 'there are no benchmarks yet' : [...all.keys()].sort().join('\n'));
    return 0;
  }
  const file = all.get(name);
  if (file === undefined)
    throw new UsageError(`there is no benchmark ${name}; there are ${[...all.keys()].sort().join(', ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', file, ...rest], { cwd: root, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
