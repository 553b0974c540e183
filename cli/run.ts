import { homedir } from 'node:os';
import { Problem, type ProblemCode } from '@skyrun/contracts';
import { type Clock, loadConfig, systemClock } from '@skyrun/kit';
import { openClient } from './client.ts';
import { type Command, type CommandContext, EXIT, NotReadyError, UsageError } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { cliConfig } from './config.ts';
import { createOutput, type OutputStreams } from './output.ts';
import { createSessionStore } from './session.ts';

export interface CliIo extends OutputStreams {
  readonly stdin: CommandContext['stdin'];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Runs one command; resolves with the exit code and never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = argv;
  const output = createOutput(io, rest.includes('--json'));
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) {
    output.error(`skyrun: there is no command ${name ?? ''}; try: skyrun help`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    output.line(`${command.summary}\n\n${usageOf(command)}`);
    return EXIT.ok;
  }
  const clock = io.clock ?? systemClock;
  const signal = io.signal ?? new AbortController().signal;
  try {
    const config = io.environment ? loadConfig(cliConfig, io.environment) : loadConfig(cliConfig);
    const environment = {
      homeDir: homedir(),
      sessionFile: config.SKYRUN_SESSION_FILE,
      password: config.SKYRUN_PASSWORD,
      project: config.SKYRUN_PROJECT,
      dockerSocket: config.SKYRUN_CLI_DOCKER_SOCKET,
    };
    const sessions = createSessionStore(environment);
    return await command.run({
      args: rest.filter((arg) => arg !== '--json'),
      output,
      sessions,
      clock,
      environment,
      signal,
      stdin: io.stdin,
      client: () => openClient(sessions, clock),
    });
  } catch (error) {
    return report(error, command, output, signal);
  }
}

function report(
  error: unknown,
  command: Command,
  output: ReturnType<typeof createOutput>,
  signal: AbortSignal,
): number {
  if (signal.aborted) return EXIT.interrupted;
  if (isUsageError(error)) {
    output.error(`skyrun ${command.name}: ${firstSentence(error.message)}\n${usageOf(command)}`);
    return EXIT.usage;
  }
  if (error instanceof Problem) {
    if (output.json) output.data({ problem: error.toDetails() });
    output.error(`skyrun ${command.name}: ${error.title}${error.detail ? `: ${error.detail}` : ''} (${error.code})`);
    for (const { field, message } of error.errors.slice(1)) output.error(`  ${field}: ${message}`);
    return problemExit(error.code);
  }
  output.error(`skyrun ${command.name}: ${error instanceof Error ? error.message : String(error)}`);
  return error instanceof NotReadyError ? EXIT.notReady : EXIT.failed;
}

const usageOf = ({ name, usage }: Command) => `Usage: skyrun ${name} ${usage}`.trimEnd();

/** `parseArgs` goes on to explain how to write what nobody meant. */
const firstSentence = (message: string) => message.replace(/\. To specify a positional argument .*$/s, '');

/** Ours, or one of `parseArgs` in node:util. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

function problemExit(code: ProblemCode): number {
  if (code.startsWith('auth.')) return EXIT.notSignedIn;
  if (code === 'resource.not_found') return EXIT.notFound;
  if (code.startsWith('resource.')) return EXIT.conflict;
  if (code === 'request.invalid') return EXIT.usage;
  return EXIT.failed;
}

/** One line a command, for `skyrun help`. */
export function commandSummaries(): readonly { readonly name: string; readonly summary: string }[] {
  return COMMANDS.map(({ name, summary }) => ({ name, summary }));
}
