import { parseArgs } from 'node:util';
import { type ApiKey, apiKeyRole, type NewApiKey, OPERATIONS, Problem } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts';
import { age, table } from '../output.ts';
import { chooseProject } from '../project.ts';

type Client = Awaited<ReturnType<CommandContext['client']>>;

export const keys: Command = {
  name: 'keys',
  usage: '[create NAME [--role R] [--days N] | rotate NAME [--grace MINUTES] | revoke NAME] [--project P]',
  summary: 'List API keys, make one for a team service, exchange one, or end one',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: {
        project: { type: 'string' },
        role: { type: 'string', default: 'developer' },
        days: { type: 'string' },
        grace: { type: 'string', default: '60' },
      },
    });
    const [verb, name, surplus] = positionals;
    if (surplus !== undefined) throw new UsageError(`unexpected argument ${surplus}`);
    if (verb !== undefined && name === undefined) throw new UsageError('NAME is missing');
    const { output } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    if (verb === undefined || name === undefined) return list(context, client, project);
    if (verb === 'create') {
      const role = apiKeyRole.safeParse(values.role);
      if (!role.success) throw new UsageError(`--role: expected ${apiKeyRole.options.join(', ')}, got ${values.role}`);
      const body = {
        name,
        role: role.data,
        ...(values.days === undefined ? {} : { expiresInDays: days(values.days) }),
      };
      return tell(context, await client.call(OPERATIONS.createApiKey, { params: { project }, body }));
    }
    if (verb !== 'rotate' && verb !== 'revoke') {
      throw new UsageError(`unexpected argument ${verb}; expected create, rotate or revoke`);
    }
    const found = (await all(client, project)).find((key) => key.name === name);
    if (!found) {
      throw new Problem('resource.not_found', { detail: `${project} has no key ${name}; skyrun keys lists them` });
    }
    const params = { project, key: found.id };
    if (verb === 'rotate') {
      const graceMinutes = Number(values.grace);
      if (!Number.isInteger(graceMinutes) || graceMinutes < 0 || graceMinutes > 10_080) {
        throw new UsageError(`--grace: expected minutes from 0 to 10080, got ${values.grace}`);
      }
      return tell(context, await client.call(OPERATIONS.rotateApiKey, { params, body: { graceMinutes } }));
    }
    await client.call(OPERATIONS.revokeApiKey, { params });
    if (output.json) output.data({ revoked: name });
    else output.line(`Key ${name} is ended; it is refused within seconds`);
    return EXIT.ok;
  },
};

async function all(client: Client, project: string): Promise<ApiKey[]> {
  return (await client.call(OPERATIONS.listApiKeys, { params: { project }, query: { limit: 500 } })).items;
}

async function list({ output, clock }: CommandContext, client: Client, project: string): Promise<number> {
  const items = await all(client, project);
  if (output.json) output.data(items);
  else if (items.length === 0) output.line(`No key in ${project} yet: skyrun keys create NAME`);
  else
    output.line(
      table(
        ['name', 'key', 'role', 'age', 'used', 'ends'],
        items.map((key) => [
          key.name,
          `${key.hint}…`,
          key.role,
          age(key.createdAt, clock.now()),
          key.lastUsedAt === null ? 'never' : `${age(key.lastUsedAt, clock.now())} ago`,
          key.expiresAt?.slice(0, 10) ?? '-',
        ]),
      ),
    );
  return EXIT.ok;
}

/** Only the key on its own line, so that it can be piped on. */
function tell({ output }: CommandContext, made: NewApiKey): number {
  if (output.json) output.data(made);
  else output.line(`Key ${made.name} (${made.role}); it is not shown again:\n${made.key}`);
  return EXIT.ok;
}

function days(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3650) {
    throw new UsageError(`--days: expected 1 to 3650, got ${text}`);
  }
  return value;
}
