import { parseArgs } from 'node:util';
import { type Invoice, OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { table } from '../output.ts';
import { chooseProject } from '../project.ts';

export const invoices: Command = {
  name: 'invoices',
  usage: '[close] [--project P]',
  summary: 'List invoices, or (operators) close the open period into one',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' } },
    });
    const { output } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const [verb] = positionals;
    if (verb !== undefined && verb !== 'close') throw new UsageError(`unexpected argument ${verb}`);
    const list =
      verb === 'close'
        ? [await client.call(OPERATIONS.closePeriod, { params: { project }, body: {} })]
        : (await client.call(OPERATIONS.listInvoices, { params: { project } })).items;
    if (output.json) output.data(verb === 'close' ? list[0] : list);
    else if (list.length === 0) output.line('No invoice yet: the open period is closed at the end of its month');
    else output.line(table(['number', 'state', 'from', 'until', 'total'], list.map(row)));
    return EXIT.ok;
  },
};

function row(invoice: Invoice): string[] {
  return [
    invoice.number,
    invoice.state,
    invoice.periodStart,
    invoice.periodEnd,
    `${invoice.total} ${invoice.currency}`,
  ];
}
