import { parseArgs } from 'node:util';
import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Command, EXIT, type SignedInClient, UsageError } from '../command.ts';
import { chooseProject } from '../project.ts';

export const billing: Command = {
  name: 'billing',
  usage: 'verify INVOICE [--project P]',
  summary: 'Compute an invoice (number or id) again from raw usage and print the first difference, or "exact"',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' } },
    });
    const [verb, invoice] = positionals;
    if (verb !== 'verify' || invoice === undefined || positionals.length > 2) {
      throw new UsageError('expected: billing verify INVOICE');
    }
    const { output } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const invoiceId = await findId(client, project, invoice);
    const verification = await client.call(OPERATIONS.verifyInvoice, { params: { project, invoiceId } });
    const { number, exact, difference, usageRows } = verification;
    if (output.json) output.data(verification);
    else if (difference) {
      output.line(
        `${number}: ${difference.field} is ${difference.invoice}; ${usageRows} usage rows say ${difference.usage}`,
      );
    } else output.line(`${number}: exact (${usageRows} usage rows)`);
    return exact ? EXIT.ok : EXIT.failed;
  },
};

/** People know the number, e.g. DEMO-000001; the API wants the id. */
async function findId(client: SignedInClient, project: string, invoice: string): Promise<string> {
  if (invoice.startsWith('inv_')) return invoice;
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: 500 } : { limit: 500, cursor };
    const page = await client.call(OPERATIONS.listInvoices, { params: { project }, query });
    const found = page.items.find(({ number }) => number === invoice.toUpperCase());
    if (found) return found.id;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  throw new Problem('resource.not_found', { detail: `project ${project} has no invoice ${invoice}` });
}
