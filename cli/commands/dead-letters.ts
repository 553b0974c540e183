import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Command, type CommandContext, EXIT, type SignedInClient, UsageError } from '../command.ts';
import { age, table } from '../output.ts';

const PAGE = 100;

export const deadLetters: Command = {
  name: 'dead-letters',
  usage: '[list [GROUP] | show GROUP ID | replay GROUP ID…|--all | discard GROUP ID… --reason TEXT]',
  summary: 'Look at events that a consumer could not handle, hand them over again or drop them',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { all: { type: 'boolean', default: false }, reason: { type: 'string' } },
    });
    const [action = 'list', group, ...ids] = positionals;
    const client = await context.client();
    if (action === 'list' && group === undefined) return listGroups(context, client);
    if (group === undefined) throw new UsageError('say which group');
    const { output } = context;
    const params = { group };
    switch (action) {
      case 'list':
        return listLetters(context, client, group);
      case 'show': {
        const [id] = ids;
        if (id === undefined) throw new UsageError('say which dead letter');
        const letter = (await letters(client, group)).find((candidate) => candidate.id === id);
        if (!letter) throw new UsageError(`group ${group} has no dead letter ${id}`);
        output.line(JSON.stringify(letter, null, output.json ? 0 : 2));
        return EXIT.ok;
      }
      case 'replay': {
        if (values.all === ids.length > 0) throw new UsageError('name dead letters, or --all');
        const body = { ids: values.all ? ('all' as const) : ids };
        const { replayed } = await client.call(OPERATIONS.replayDeadLetters, { params, body });
        if (output.json) output.data({ replayed });
        else output.line(`Handed to ${group} again: ${replayed}`);
        return EXIT.ok;
      }
      case 'discard': {
        if (ids.length === 0) throw new UsageError('name the dead letters');
        if (values.reason === undefined) throw new UsageError('say why: --reason TEXT');
        const body = { ids, reason: values.reason };
        const { discarded } = await client.call(OPERATIONS.discardDeadLetters, { params, body });
        if (output.json) output.data({ discarded });
        else output.line(`Dropped: ${discarded}`);
        return EXIT.ok;
      }
      default:
        throw new UsageError(`unexpected argument ${action}`);
    }
  },
};

async function listGroups({ output }: CommandContext, client: SignedInClient): Promise<number> {
  const { items } = await client.call(OPERATIONS.listDeadLetterGroups);
  if (output.json) output.data(items);
  else {
    const rows = items.map(({ group, letters, more }) => [group, more ? `more than ${letters}` : String(letters)]);
    output.line(table(['group', 'dead letters'], rows));
  }
  return EXIT.ok;
}

async function listLetters({ output, clock }: CommandContext, client: SignedInClient, group: string): Promise<number> {
  const items = await letters(client, group);
  if (output.json) output.data(items);
  else if (items.length === 0) output.line(`${group} has no dead letters`);
  else
    output.line(
      table(
        ['id', 'age', 'tries', 'event', 'error'],
        items.map(({ id, deadAt, attempts, event, error }) => [
          id,
          deadAt === '' ? '-' : age(deadAt, clock.now()),
          String(attempts),
          event ? `${event.type} ${event.subject}` : 'malformed',
          error,
        ]),
      ),
    );
  return EXIT.ok;
}

async function letters(client: SignedInClient, group: string) {
  const all = [];
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page = await client.call(OPERATIONS.listDeadLetters, { params: { group }, query });
    all.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}
