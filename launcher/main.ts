import { UsageError } from './command.ts';
import { LAUNCHER_COMMANDS } from './commands.ts';
import { layoutOf } from './layout.ts';
import { ROOT } from './root.ts';
import { createProgress } from './up/progress.ts';

/** Run one command of ours, or hand the line to the CLI. Resolves with the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  // `skyrun help deploy` is `skyrun deploy --help`.
  const [name, ...args] = argv[0] === 'help' && argv[1] !== undefined ? [argv[1], '--help'] : argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const { help } = await import('./help.ts');
    process.stdout.write(await help());
    return name === undefined ? 2 : 0;
  }
  const command = LAUNCHER_COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    const { runCli } = await import('@skyrun/cli');
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    process.once('SIGTERM', () => stop.abort());
    return runCli([name, ...args], {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      signal: stop.signal,
    });
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${command.summary}\n\nUsage: skyrun ${command.name} ${command.usage}\n`);
    return 0;
  }
  try {
    return await command.run({
      args,
      progress: createProgress(process.stdout),
      layout: (dataDir) => layoutOf(ROOT, dataDir),
    });
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(`skyrun ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (usage) process.stderr.write(`Usage: skyrun ${command.name} ${command.usage}\n`);
    return usage ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
