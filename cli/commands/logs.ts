import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT } from '../command.ts';
import { chooseProject, one } from '../project.ts';

export const logs: Command = {
  name: 'logs',
  usage: '<service> [-f|--follow] [--tail 200] [--project P]',
  summary: 'Print the logs of a service’s instances',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: {
        follow: { type: 'boolean', short: 'f', default: false },
        tail: { type: 'string', default: '200' },
        project: { type: 'string' },
      },
    });
    const service = one(positionals, 'the service');
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const lines = client.stream(OPERATIONS.followLogs, {
      params: { project, service },
      query: { follow: String(values.follow), tail: values.tail },
      signal: context.signal,
    });
    for await (const line of lines) {
      if (context.output.json) context.output.data(line);
      else context.output.line(`${line.at} ${line.instanceId.slice(-6)} ${line.text}`);
    }
    return EXIT.ok;
  },
};
