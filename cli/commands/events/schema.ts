import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { dataSchema, EVENT_TYPES, isEventType, OPERATIONS, Problem, typeScriptOf } from '@skyrun/contracts';
import { type CommandContext, EXIT, type SignedInClient, UsageError } from '../../command.ts';
import { table } from '../../output.ts';
import { chooseProject } from '../../project.ts';

const PAGE = 200;

/** `schema [list | show TYPE | versions TYPE | register TYPE FILE | check TYPE FILE | types]` */
export async function schema(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      project: { type: 'string' },
      summary: { type: 'string' },
      subject: { type: 'string' },
      compatibility: { type: 'string' },
      version: { type: 'string' },
    },
  });
  const [action = 'list', type, file] = positionals;
  const { output } = context;
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  if (action === 'list') {
    const items = await all(client, project);
    if (output.json) output.data(items);
    else {
      const rows = items.map((item) => [item.type, String(item.version), item.compatibility, item.summary]);
      output.line(table(['type', 'version', 'compatibility', 'summary'], rows));
    }
    return EXIT.ok;
  }
  if (action === 'types') {
    output.line(typeScriptOf(await all(client, project)).trimEnd());
    return EXIT.ok;
  }
  if (type === undefined) throw new UsageError('say which event type');
  const params = { project, type };
  switch (action) {
    case 'show':
      return show(context, client, params, values.version);
    case 'versions': {
      const { items } = await client.call(OPERATIONS.listEventSchemaVersions, { params });
      if (output.json) output.data(items);
      else
        output.line(
          table(
            ['version', 'registered', 'by'],
            items.map((one) => [String(one.version), one.registeredAt, one.registeredBy]),
          ),
        );
      return EXIT.ok;
    }
    case 'register': {
      const { summary, subject } = values;
      if (summary === undefined || subject === undefined)
        throw new UsageError('give --summary and --subject, e.g. orders/{id}');
      const body = { summary, subject, schema: await read(file), ...compatibilityOf(values.compatibility) };
      const made = await client.call(OPERATIONS.registerEventSchema, { params, body });
      if (output.json) output.data(made);
      else output.line(`${made.type} is registered in version ${made.version}`);
      return EXIT.ok;
    }
    case 'check': {
      const body = { schema: await read(file), ...compatibilityOf(values.compatibility) };
      const { compatible, issues } = await client.call(OPERATIONS.checkEventSchema, { params, body });
      if (output.json) output.data({ compatible, issues });
      else if (compatible) output.line('It would be taken.');
      else for (const { path, message } of issues) output.line(`${path}: ${message}`);
      return compatible ? EXIT.ok : EXIT.conflict;
    }
    default:
      throw new UsageError(`unexpected argument ${action}`);
  }
}

async function show(
  { output }: CommandContext,
  client: SignedInClient,
  params: { project: string; type: string },
  version: string | undefined,
): Promise<number> {
  if (isEventType(params.type)) {
    const { items } = await client.call(OPERATIONS.getCatalogue, { params: { project: params.project } });
    const entry = items.find(({ type }) => type === params.type);
    output.line(JSON.stringify(entry?.schema ?? {}, null, output.json ? 0 : 2));
    return EXIT.ok;
  }
  if (!params.type.startsWith('team.')) {
    const like = EVENT_TYPES.slice(0, 3).join(', ');
    throw new Problem('resource.not_found', { detail: `no event type ${params.type}; there are e.g. ${like}` });
  }
  const query = version === undefined ? {} : { version };
  const found = await client.call(OPERATIONS.getEventSchema, { params, query });
  output.line(JSON.stringify(output.json ? found : found.schema, null, output.json ? 0 : 2));
  return EXIT.ok;
}

async function all(client: SignedInClient, project: string) {
  const items = [];
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page = await client.call(OPERATIONS.listEventSchemas, { params: { project }, query });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

async function read(file: string | undefined) {
  if (file === undefined) throw new UsageError('say which file holds the JSON Schema');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `${file} is no JSON that can be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const parsed = dataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${file}: ${issue?.path.join('/') || 'the schema'}: ${issue?.message ?? 'is not valid'}`);
}

function compatibilityOf(given: string | undefined) {
  const known = (['backward', 'forward', 'full', 'none'] as const).find((one) => one === given);
  if (given !== undefined && known === undefined)
    throw new UsageError('--compatibility: backward, forward, full or none');
  return known === undefined ? {} : { compatibility: known };
}
