import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { age, table } from '../output.ts';

export const projects: Command = {
  name: 'projects',
  usage: '[create NAME [--display-name TEXT]]',
  summary: 'List projects, or create one',
  async run({ args, output, clock, client: open }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { 'display-name': { type: 'string' } },
    });
    const client = await open();
    const [verb, name] = positionals;
    if (verb === 'create') {
      if (name === undefined) throw new UsageError('NAME is missing');
      const displayName = values['display-name'];
      const project = await client.call(OPERATIONS.createProject, {
        body: { name, ...(displayName === undefined ? {} : { displayName }) },
      });
      if (output.json) output.data(project);
      else output.line(`Project ${project.name} created`);
      return EXIT.ok;
    }
    if (verb !== undefined) throw new UsageError(`unexpected argument ${verb}`);
    const { items } = await client.call(OPERATIONS.listProjects, { query: { limit: 500 } });
    if (output.json) output.data(items);
    else
      output.line(
        table(
          ['name', 'display name', 'role', 'age'],
          items.map((item) => [item.name, item.displayName, item.role ?? '', age(item.createdAt, clock.now())]),
        ),
      );
    return EXIT.ok;
  },
};
