import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT } from '../command.ts';
import { chooseProject, one } from '../project.ts';

export const deleteService: Command = {
  name: 'delete',
  usage: '<service> [--yes] [--project P]',
  summary: 'Delete a service and stop its instances',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { yes: { type: 'boolean', short: 'y', default: false }, project: { type: 'string' } },
    });
    const service = one(positionals, 'the service');
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    // A script is not asked: it has said what it wants.
    if (!values.yes && context.stdin.isTTY === true && !(await confirm(`Delete ${service} in ${project}? [y/N] `))) {
      return EXIT.failed;
    }
    await client.call(OPERATIONS.deleteService, { params: { project, service } });
    if (context.output.json) context.output.data({ deleted: service });
    else context.output.line(`${service} deleted`);
    return EXIT.ok;
  },
};

async function confirm(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await reader.question(question)).trim());
  } finally {
    reader.close();
  }
}
