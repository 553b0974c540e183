export { EXIT } from './command.ts';
export { cliConfig } from './config.ts';
export { type CliIo, commandSummaries, runCli } from './run.ts';
