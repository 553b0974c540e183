import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { loadConfig, systemClock } from '@skyrun/kit';
import { type CommandContext, type LauncherCommand, UsageError } from './command.ts';
import { launcherConfig } from './config.ts';
import { isRunning, type ProcessId, processId } from './process-id.ts';

const DATA_DIR = { 'data-dir': { type: 'string' } } as const;

/** Modules are loaded by the command that needs them: `status` must not wait for what `up` imports. */
export const LAUNCHER_COMMANDS: readonly LauncherCommand[] = [
  {
    name: 'up',
    usage: '[--foreground] [--distributed] [--port N] [--data-dir DIR] [--while PID]',
    summary: 'Install what is missing, start everything, deploy a sample',
    run: runUp,
  },
  {
    name: 'down',
    usage: '[--data-dir DIR]',
    summary: 'Stop everything, containers included; the next up brings services back',
    run: async (context) => {
      const { values } = parse(context, DATA_DIR);
      const { down } = await import('./down.ts');
      await down(context.layout(values['data-dir']), context.progress);
      return 0;
    },
  },
  {
    name: 'status',
    usage: '[--json] [--data-dir DIR]',
    summary: 'What runs, with which process ids and ports, since when',
    run: async (context) => {
      const { values } = parse(context, { ...DATA_DIR, json: { type: 'boolean' } });
      const { status } = await import('./status.ts');
      const result = status(context.layout(values['data-dir']));
      context.progress.line(values.json ? JSON.stringify(result.json, null, 2) : result.text);
      return result.running ? 0 : 1;
    },
  },
  {
    name: 'test',
    usage: '[check|unit|integration|e2e …]',
    summary: 'Run every test, or some kinds of them',
    run: async (context) => {
      const { positionals } = parse(context, {}, true);
      const { test } = await import('./test/test.ts');
      return test({ kinds: positionals, write: false }, context.layout(undefined), context.progress);
    },
  },
  {
    name: 'check',
    usage: '[--write]',
    summary: 'Types, lint, boundaries, unused exports, generated documents',
    run: async (context) => {
      const { values } = parse(context, { write: { type: 'boolean' } });
      const { test } = await import('./test/test.ts');
      return test({ kinds: ['check'], write: values.write ?? false }, context.layout(undefined), context.progress);
    },
  },
  {
    name: 'doctor',
    usage: '[--data-dir DIR]',
    summary: 'Look at the machine and the installation, and say what to do',
    run: async (context) => {
      const { values } = parse(context, DATA_DIR);
      const { doctor } = await import('./doctor.ts');
      return doctor(context.layout(values['data-dir']), context.progress);
    },
  },
  {
    name: 'bench',
    usage: 'NAME [ARGUMENT …]',
    summary: 'Run a benchmark; without a name, list them',
    run: async (context) => {
      const { bench } = await import('./benchmarks.ts');
      return bench(context.args, context.layout(undefined).root, context.progress);
    },
  },
  {
    name: 'chaos',
    usage:
      '[--broker redis|rabbitmq|both] [--faults A,B] [--commands N] [--times N] [--seed N] [--duration S] [--absence S] [--parallel] [--keep]',
    summary: 'Hurt a private Skyrun under load, and count what is lost or happens twice',
    run: runChaos,
  },
  {
    name: 'contract',
    usage: '[--private] [--json] [--data-dir DIR]',
    summary: 'Check the container contract from inside real containers, and print each clause with what was seen',
    run: async (context) => {
      const { values } = parse(context, {
        ...DATA_DIR,
        private: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      });
      const { contract } = await import('./contract/contract.ts');
      const { progress } = context;
      return contract({
        layout: context.layout(values['data-dir']),
        apart: values.private,
        json: values.json,
        progress,
      });
    },
  },
];

async function runChaos(context: CommandContext): Promise<number> {
  const { values } = parse(context, {
    broker: { type: 'string' },
    faults: { type: 'string' },
    commands: { type: 'string', default: '20000' },
    times: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    duration: { type: 'string', default: '1800' },
    absence: { type: 'string', default: '60' },
    keep: { type: 'boolean', default: false },
    parallel: { type: 'boolean', default: false },
  });
  const count = (name: 'commands' | 'times' | 'seed' | 'duration' | 'absence') => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name}: expected a whole number from 1, got ${values[name]}`);
    return value;
  };
  const { chaos, parseBrokers, parseFaults } = await import('./chaos/chaos.ts');
  const { createProgress } = await import('./up/progress.ts');
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const code = await chaos({
    root: context.layout(undefined).root,
    brokers: parseBrokers(values.broker),
    faults: parseFaults(values.faults),
    seed: count('seed'),
    commands: count('commands'),
    times: count('times'),
    durationMs: count('duration') * 1_000,
    absenceMs: count('absence') * 1_000,
    keep: values.keep,
    parallel: values.parallel,
    signal: stop.signal,
    // Two at a time cannot share one line that is redrawn.
    progress: values.parallel ? createProgress({ write: (text) => process.stdout.write(text) }) : context.progress,
  });
  // What an interrupted fault was about to do must not come after the laboratory is gone.
  if (stop.signal.aborted) process.exit(code);
  return code;
}

async function runUp(context: CommandContext): Promise<number> {
  const { values } = parse(context, {
    ...DATA_DIR,
    foreground: { type: 'boolean' },
    distributed: { type: 'boolean' },
    port: { type: 'string' },
    while: { type: 'string' },
  });
  const gatewayPort = values.port === undefined ? loadConfig(launcherConfig).SKYRUN_GATEWAY_PORT : Number(values.port);
  if (!Number.isInteger(gatewayPort) || gatewayPort < 1 || gatewayPort > 65_535) {
    throw new UsageError(`--port: expected a port from 1 to 65535, got ${values.port}`);
  }
  const stop = new AbortController();
  if (values.foreground) {
    process.on('SIGINT', () => stop.abort());
    process.on('SIGTERM', () => stop.abort());
  }
  const { up } = await import('./up/up.ts');
  await up({
    layout: context.layout(values['data-dir']),
    shape: values.distributed ? 'distributed' : 'one-machine',
    gatewayPort,
    foreground: values.foreground ?? false,
    clock: systemClock,
    progress: context.progress,
    signal: stop.signal,
    ...(values.while === undefined ? {} : { owner: owningProcess(values.while) }),
  });
  return 0;
}

function owningProcess(text: string): ProcessId {
  const id = processId(Number(text));
  if (!isRunning(id)) throw new UsageError(`--while: there is no process ${text}`);
  return id;
}

function parse<const Options extends ParseArgsOptionsConfig>(
  context: CommandContext,
  options: Options,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args: [...context.args], options, allowPositionals });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
