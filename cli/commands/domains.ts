import { parseArgs } from 'node:util';
import { type Domain, OPERATIONS } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts';
import { age, table } from '../output.ts';
import { chooseProject } from '../project.ts';

export const domains: Command = {
  name: 'domains',
  usage: '[list | add DOMAIN --service S | verify DOMAIN | remove DOMAIN] [--project P]',
  summary: 'Lead hosts of your own, www.example.com or *.example.com, to services',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' }, service: { type: 'string' } },
    });
    const [verb = 'list', name, surplus] = positionals;
    if (surplus !== undefined) throw new UsageError(`unexpected argument ${surplus}`);
    if (!['list', 'add', 'verify', 'remove'].includes(verb)) {
      throw new UsageError(`unexpected argument ${verb}; expected list, add, verify or remove`);
    }
    const { output } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    if (verb === 'list') {
      const { items } = await client.call(OPERATIONS.listDomains, { params: { project }, query: { limit: 500 } });
      showAll(context, project, items);
      return EXIT.ok;
    }
    if (name === undefined) throw new UsageError('DOMAIN is missing');
    if (verb === 'add') {
      if (values.service === undefined) throw new UsageError('--service is missing: which service shall it lead to?');
      const body = { name, service: values.service };
      const added = await client.call(OPERATIONS.addDomain, { params: { project }, body });
      if (output.json) output.data(added);
      else {
        output.line(`${added.name} will lead to ${added.service}. Prove that it is yours by one of these records:`);
        output.line(records(added));
        output.line(`It is looked for by itself; at once with: skyrun domains verify '${added.name}'`);
      }
      return EXIT.ok;
    }
    const params = { project, domain: name };
    if (verb === 'remove') {
      await client.call(OPERATIONS.removeDomain, { params });
      if (output.json) output.data({ removed: name });
      else output.line(`${name} leads nowhere any more`);
      return EXIT.ok;
    }
    const checked = await client.call(OPERATIONS.verifyDomain, { params });
    if (output.json) output.data(checked);
    else {
      const to = checked.state === 'verified' ? `leads to ${checked.service}` : `is ${checked.state}`;
      output.line(`${checked.name} ${to}. ${checked.message}`);
      if (checked.state !== 'verified') output.line(records(checked));
    }
    return checked.state === 'verified' ? EXIT.ok : EXIT.notReady;
  },
};

function showAll({ output, clock }: CommandContext, project: string, items: readonly Domain[]): void {
  if (output.json) output.data(items);
  else if (items.length === 0) {
    output.line(`No domain in ${project} yet: skyrun domains add www.example.com --service NAME`);
  } else {
    const rows = items.map(({ name, service, state, message, createdAt }) => [
      name,
      service,
      state,
      age(createdAt, clock.now()),
      message,
    ]);
    output.line(table(['name', 'service', 'state', 'age', 'message'], rows));
  }
}

function records({ proofs }: Domain): string {
  return table(
    ['type', 'name', 'value'],
    proofs.map(({ type, name, value }) => [type, name, value]),
  );
}
