import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Check {
  readonly name: string;
  /** Null when all is well, else what is wrong. */
  run(): Promise<string | null>;
}

/** What CI enforces besides tests. `write` puts generated documents right instead of complaining. */
export function checks(root: string, write: boolean): Check[] {
  const tool = (name: string, program: string, ...args: string[]): Check => ({
    name,
    run: () => runTool(root, join(root, 'node_modules', '.bin', program), args),
  });
  return [
    tool('types', TYPESCRIPT_7, '-p', 'tsconfig.json'),
    tool('types of the UI', TYPESCRIPT_7, '-p', 'ui/tsconfig.json'),
    tool('lint and format', 'biome', 'check', '.'),
    tool('boundaries', 'depcruise', '--config', '.dependency-cruiser.cjs', ...PACKAGES),
    tool('unused exports and dependencies', 'knip', '--no-progress', '--no-config-hints'),
    { name: 'generated documents', run: () => documents(write) },
  ];
}

/** `tsc` itself is version 6, kept for tools that need its API; see docs/decisions/0008. */
const TYPESCRIPT_7 = '../typescript-7/bin/tsc';

const PACKAGES = [
  'shared',
  'services',
  'gateway',
  'billing',
  'workload',
  'client',
  'cli',
  'launcher',
  'testing',
  'observability',
  'ui/src',
];

async function documents(write: boolean): Promise<string | null> {
  const { staleDocuments, writeDocuments } = await import('../documents/generate.ts');
  if (write) await writeDocuments();
  const stale = await staleDocuments();
  return stale.length === 0 ? null : `out of date: ${stale.join(', ')}; run ./skyrun check --write and commit`;
}

function runTool(root: string, program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) =>
      resolve(code === 0 ? null : Buffer.concat(output).toString().trim() || `ended with ${code}`),
    );
  });
}
