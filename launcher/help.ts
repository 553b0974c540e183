import { commandSummaries } from '@skyrun/cli';
import { LAUNCHER_COMMANDS } from './commands.ts';

/** Everything that `./skyrun` can do, ours first, then the CLI's. */
export async function help(): Promise<string> {
  const ours = LAUNCHER_COMMANDS;
  const theirs = commandSummaries();
  const width = Math.max(...[...ours, ...theirs].map(({ name }) => name.length));
  const rows = (commands: readonly { readonly name: string; readonly summary: string }[]): string => {
    return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
  };
  return [
    'Skyrun: give it a container image, get a URL that scales.',
    '',
    'Run it',
    rows(ours),
    '',
    'Use it',
    rows(theirs),
    '',
    'skyrun COMMAND --help says more about one.',
    '',
  ].join('\n');
}
