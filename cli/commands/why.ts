import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT } from '../command.ts';
import { chooseProject, one } from '../project.ts';

export const why: Command = {
  name: 'why',
  usage: '<service> [--limit 20] [--project P]',
  summary: 'Tell why a service scaled as it did, newest first',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { limit: { type: 'string', default: '20' }, project: { type: 'string' } },
    });
    const service = one(positionals, 'the service');
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const { items } = await client.call(OPERATIONS.listDecisions, {
      params: { project, service },
      query: { limit: values.limit },
    });
    if (context.output.json) context.output.data(items);
    else if (items.length === 0) context.output.line(`${service} has not scaled yet`);
    else for (const item of items) context.output.line(`${item.at}  ${item.revisionName}  ${item.sentence}`);
    return EXIT.ok;
  },
};
