import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, UsageError } from '../../command.ts';
import { chooseProject } from '../../project.ts';
import { schema } from './schema.ts';
import { replay, subscriptions } from './subscriptions.ts';
import { list } from './tail.ts';

const ACTIONS: Readonly<Record<string, (context: CommandContext, args: readonly string[]) => Promise<number>>> = {
  list: (context, args) => list(context, args, false),
  tail: (context, args) => list(context, args, true),
  show,
  replay,
  schema,
  subscriptions,
  publish,
};

export const events: Command = {
  name: 'events',
  usage: `[list|tail] [-f|--follow] [--type PATTERN] [--subject PREFIX] [--limit 50] [--project P]
       events show ID
       events replay SUBSCRIPTION --since TIME|--event ID
       events publish TYPE SUBJECT JSON
       events schema [list | show TYPE | versions TYPE | register TYPE FILE --summary TEXT --subject FORM | check TYPE FILE | types]
       events subscriptions [list | create NAME URL [--type PATTERN]… | test NAME | rotate NAME | delete NAME]`,
  summary: 'List events of a project or follow them live; publish, describe and send on your own',
  async run(context) {
    const [first, ...rest] = context.args;
    const action = first === undefined || first.startsWith('-') ? undefined : ACTIONS[first];
    if (action) return action(context, rest);
    if (first !== undefined && !first.startsWith('-')) throw new UsageError(`unexpected argument ${first}`);
    return list(context, context.args, false);
  },
};

async function show(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { project: { type: 'string' } },
  });
  const [id] = positionals;
  if (id === undefined) throw new UsageError('say which event: its id');
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const { items } = await client.call(OPERATIONS.listProjectEvents, {
    params: { project },
    query: { text: id, limit: 50 },
  });
  const event = items.find((one) => one.id === id);
  if (!event) throw new UsageError(`the history of ${project} has no event ${id}`);
  context.output.line(JSON.stringify(event, null, context.output.json ? 0 : 2));
  return EXIT.ok;
}

async function publish(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { project: { type: 'string' } },
  });
  const [type, subject, json] = positionals;
  if (type === undefined || subject === undefined || json === undefined) throw new UsageError('give TYPE SUBJECT JSON');
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`the data is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const body = { events: [{ type, subject, data, source: 'cli' }] };
  const { items } = await client.call(OPERATIONS.publishEvents, { params: { project }, body });
  if (context.output.json) context.output.data(items);
  else context.output.line(`Published ${items[0]?.id ?? ''}`);
  return EXIT.ok;
}
