import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT } from '../command.ts';
import { table } from '../output.ts';
import { chooseProject } from '../project.ts';

export const cost: Command = {
  name: 'cost',
  usage: '[--project P]',
  summary: 'Show what the open period has cost so far',
  async run(context) {
    const { values } = parseArgs({ args: [...context.args], options: { project: { type: 'string' } } });
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const report = await client.call(OPERATIONS.getCosts, { params: { project } });
    const { output } = context;
    if (output.json) {
      output.data(report);
      return EXIT.ok;
    }
    output.line(
      table(
        ['service', 'meter', 'quantity', 'unit', 'price', 'amount'],
        report.lines.map((line) => [
          line.service,
          line.meter,
          line.quantity,
          line.unit,
          `${line.unitPrice}/${line.pricedUnit}`,
          line.exactAmount ?? line.amount,
        ]),
      ),
    );
    for (const credit of report.credits) output.line(`${credit.description}: ${credit.amount}`);
    output.line();
    const { currency } = report;
    output.line(`${project} since ${report.periodStart}`);
    output.line(`  used           ${report.exactSubtotal ?? report.subtotal} ${currency}`);
    output.line(`  after credits  ${report.exactTotal} ${currency}`);
    output.line(`  invoiced now   ${report.total} ${currency}`);
    return EXIT.ok;
  },
};
