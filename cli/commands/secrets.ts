import { parseArgs } from 'node:util';
import { OPERATIONS, type Secret } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts';
import { age, table } from '../output.ts';
import { chooseProject } from '../project.ts';

export const secrets: Command = {
  name: 'secrets',
  usage: '[create NAME | add NAME | delete NAME] [--project P]   (create and add read the value from standard input)',
  summary: 'List secrets, create one, give one a new version, or delete one',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' } },
    });
    const [verb, name, surplus] = positionals;
    if (surplus !== undefined)
      throw new UsageError(`unexpected argument ${surplus}; the value comes from standard input`);
    if (verb !== undefined && name === undefined) throw new UsageError('NAME is missing');
    const { output, clock } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    if (verb === undefined || name === undefined) {
      const { items } = await client.call(OPERATIONS.listSecrets, { params: { project }, query: { limit: 500 } });
      if (output.json) output.data(items);
      else if (items.length === 0) output.line(`No secret in ${project} yet: skyrun secrets create NAME < file`);
      else
        output.line(
          table(
            ['name', 'version', 'used by', 'age'],
            items.map((item) => [
              item.name,
              String(item.latestVersion),
              item.usedBy.join(', ') || '-',
              age(item.createdAt, clock.now()),
            ]),
          ),
        );
      return EXIT.ok;
    }
    if (verb === 'create') {
      const body = { name, value: await readValue(context) };
      return tell(context, await client.call(OPERATIONS.createSecret, { params: { project }, body }));
    }
    const params = { project, secret: name };
    if (verb === 'add') {
      const body = { value: await readValue(context) };
      return tell(context, await client.call(OPERATIONS.addSecretVersion, { params, body }));
    }
    if (verb !== 'delete') throw new UsageError(`unexpected argument ${verb}; expected create, add or delete`);
    await client.call(OPERATIONS.deleteSecret, { params });
    if (output.json) output.data({ deleted: name });
    else output.line(`Secret ${name} deleted`);
    return EXIT.ok;
  },
};

function tell({ output }: CommandContext, secret: Secret): number {
  if (output.json) output.data(secret);
  else output.line(`Secret ${secret.name} has version ${secret.latestVersion}`);
  return EXIT.ok;
}

/** Never an argument: those are seen in process lists and shell histories. A final line end is not part of it. */
async function readValue({ stdin }: CommandContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk);
  const value = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (value === '') throw new UsageError('give the value on standard input');
  return value;
}
