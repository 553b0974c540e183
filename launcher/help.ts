import { commandSummaries } from '@skyrun/cli';
import { LAUNCHER_COMMANDS } from './commands.ts';

/** Everything that `./skyrun` can do, ours first, then the CLI's. */
export async function help(): Promise<string> {
  const rows = (commands: readonly { readonly name: string; readonly summary: string }[]): string => {
    return commands.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join('\n');
  };
  return [
    'Skyrun: give it a container image, get a URL that scales.',
    '',
    'Run it',
    rows(LAUNCHER_COMMANDS),
    '',
    'Use it',
    rows(commandSummaries()),
    '',
    'skyrun COMMAND --help says more about one.',
    '',
  ].join('\n');
}
