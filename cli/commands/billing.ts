import { parseArgs } from 'node:util';
import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, type SignedInClient, UsageError } from '../command.ts';
import { chooseProject } from '../project.ts';

export const billing: Command = {
  name: 'billing',
  usage:
    'verify INVOICE [--project P]        (an invoice by number or id)\n' +
    '       billing price-list [--project P]             (the list that a project pays by)\n' +
    '       billing price-list NAME|--region R [--from TIME] [--project P]   (administrators: pay by another from a time on)',
  summary: 'Prove an invoice from its raw usage; show the price list that a project pays by, or choose another',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' }, region: { type: 'string' }, from: { type: 'string' } },
    });
    const [verb, what, ...rest] = positionals;
    if (rest.length === 0 && verb === 'verify' && what !== undefined) return verify(context, values.project, what);
    if (rest.length === 0 && verb === 'price-list') return priceList(context, { ...values, name: what });
    throw new UsageError('expected: billing verify INVOICE, or billing price-list [NAME]');
  },
};

async function verify(context: CommandContext, named: string | undefined, invoice: string): Promise<number> {
  const { output } = context;
  const client = await context.client();
  const project = await chooseProject(context, client, named);
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
}

interface PriceListAsk {
  readonly project?: string | undefined;
  readonly name: string | undefined;
  readonly region?: string | undefined;
  readonly from?: string | undefined;
}

async function priceList(context: CommandContext, { project: named, name, region, from }: PriceListAsk) {
  if (name !== undefined && region !== undefined) throw new UsageError('expected either NAME or --region');
  const wanted = name ?? region;
  if (wanted === undefined && from !== undefined) throw new UsageError('--from: expected NAME or --region with it');
  const { output } = context;
  const client = await context.client();
  const params = { project: await chooseProject(context, client, named) };
  const list =
    wanted === undefined
      ? await client.call(OPERATIONS.getAccountPriceList, { params })
      : await client.call(OPERATIONS.changeAccountPriceList, {
          params,
          body: {
            ...(name === undefined ? { region } : { priceList: name }),
            ...(from === undefined ? {} : { effectiveFrom: from }),
          },
        });
  if (output.json) {
    output.data(list);
    return EXIT.ok;
  }
  output.line(
    `${params.project}: ${list.priceList} (${list.title}, ${list.currency}${list.freeTier ? ', free tier' : ''})`,
  );
  for (const change of list.changes) output.line(`from ${change.effectiveFrom}: ${change.priceList}`);
  return EXIT.ok;
}

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
