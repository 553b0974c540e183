import { parseArgs } from 'node:util';
import { type MetricWant, OPERATIONS } from '@skyrun/contracts';
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
    else {
      for (const item of items) {
        context.output.line(`${item.at}  ${item.revisionName}  ${item.sentence}`);
        const wants = item.wants ?? [];
        // One metric is in the sentence already.
        for (const each of wants.length > 1 ? wants : []) context.output.line(`    ${wantText(each)}`);
      }
    }
    return EXIT.ok;
  },
};

function wantText({ metric, value, target, want, note }: MetricWant): string {
  const measured =
    value === null ? 'not measured' : `${Math.round(value * 10) / 10} of target ${Math.round(target * 10) / 10}`;
  return `${metric}: ${measured}, wants ${want ?? 'nothing'}${note === undefined ? '' : ` (${note})`}`;
}
