import { parseArgs } from 'node:util';
import { OPERATIONS, type PushSubscription } from '@skyrun/contracts';
import { type CommandContext, EXIT, type SignedInClient, UsageError } from '../../command.ts';
import { table } from '../../output.ts';
import { chooseProject } from '../../project.ts';

async function find(client: SignedInClient, project: string, name: string): Promise<PushSubscription> {
  const { items } = await client.call(OPERATIONS.listSubscriptions, { params: { project }, query: { limit: 500 } });
  const found = items.find((item) => item.name === name || item.id === name);
  if (!found)
    throw new UsageError(
      `${project} has no subscription ${name}; it has: ${items.map((item) => item.name).join(', ') || 'none'}`,
    );
  return found;
}

/** `subscriptions [list | create NAME URL | test NAME | rotate NAME | delete NAME]` */
export async function subscriptions(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      project: { type: 'string' },
      type: { type: 'string', multiple: true, default: [] },
      where: { type: 'string', default: '' },
      structured: { type: 'boolean', default: false },
    },
  });
  const [action = 'list', name, destination] = positionals;
  const { output } = context;
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  if (action === 'list') {
    const { items } = await client.call(OPERATIONS.listSubscriptions, { params: { project }, query: { limit: 500 } });
    const rows = items.map((item) => [
      item.name,
      item.paused ? 'paused' : item.circuit,
      item.filter.types.join(',') || '*',
      item.destination,
    ]);
    if (output.json) output.data(items);
    else output.line(table(['name', 'circuit', 'types', 'destination'], rows));
    return EXIT.ok;
  }
  if (name === undefined) throw new UsageError('say which subscription');
  if (action === 'create') {
    if (destination === undefined) throw new UsageError('say where to: create NAME URL');
    const mode = values.structured ? ('structured' as const) : ('binary' as const);
    const filter = { types: values.type, subject: '', attributes: {}, sql: values.where };
    const body = { name, destination, mode, filter };
    const made = await client.call(OPERATIONS.createSubscription, { params: { project }, body });
    if (output.json) output.data(made);
    else output.line(`Signing secret, shown this once: ${made.secret}`);
    return EXIT.ok;
  }
  const params = { project, subscription: (await find(client, project, name)).id };
  switch (action) {
    case 'test': {
      const { state, history } = await client.call(OPERATIONS.testSubscription, { params });
      if (output.json) output.data({ state, history });
      else output.line(`${state}: ${history[0]?.status ?? history[0]?.error ?? 'no answer'}`);
      return state === 'delivered' ? EXIT.ok : EXIT.failed;
    }
    case 'rotate': {
      const { secret } = await client.call(OPERATIONS.rotateSubscriptionSecret, { params });
      if (output.json) output.data({ secret });
      else output.line(`New signing secret, shown this once; the one before stays valid until the next: ${secret}`);
      return EXIT.ok;
    }
    case 'delete':
      await client.call(OPERATIONS.deleteSubscription, { params });
      output.line(`${name} is gone`);
      return EXIT.ok;
    default:
      throw new UsageError(`unexpected argument ${action}`);
  }
}

/** `replay SUBSCRIPTION --since TIME | --event ID` */
export async function replay(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { project: { type: 'string' }, since: { type: 'string' }, event: { type: 'string' } },
  });
  const [name] = positionals;
  if (name === undefined) throw new UsageError('say to which subscription');
  if ((values.since === undefined) === (values.event === undefined))
    throw new UsageError('give --since TIME or --event ID');
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const params = { project, subscription: (await find(client, project, name)).id };
  const { since, event } = values;
  const { queued, next } =
    since === undefined
      ? await client.call(OPERATIONS.replaySubscription, { params, body: { eventId: event ?? '' } })
      : await client.call(OPERATIONS.replaySubscription, { params, body: { since } });
  if (context.output.json) context.output.data({ queued, next });
  else context.output.line(`${queued} events are sent again${next === null ? '' : `; go on with --event ${next}`}`);
  return EXIT.ok;
}
