import { parseArgs } from 'node:util';
import { OPERATIONS, type Service } from '@skyrun/contracts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { age, table } from '../output.ts';
import { chooseProject } from '../project.ts';
import { rollback, rollouts, trafficLines, updateTraffic } from './traffic.ts';

const ACTIONS = new Map([
  ['update-traffic', updateTraffic],
  ['rollback', rollback],
  ['rollouts', rollouts],
]);

export const services: Command = {
  name: 'services',
  usage:
    '[NAME] [--project P]\n' +
    '       services update-traffic NAME [--to-latest | --to-revisions REV=10,LATEST=90] [--set-tags TAG=REV] [--remove-tags TAG]\n' +
    '       services rollback NAME [--to REV]\n' +
    '       services rollouts NAME',
  summary: 'List services or show one; split traffic, roll back, see rollouts',
  async run(context) {
    const [action = '', ...rest] = context.args;
    const run = ACTIONS.get(action);
    if (run !== undefined) return await run(context, rest);
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: { project: { type: 'string' } },
    });
    if (positionals.length > 1) throw new UsageError(`unexpected argument ${positionals[1]}`);
    const { output, clock } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const [name] = positionals;
    if (name === undefined) {
      const { items } = await client.call(OPERATIONS.listServices, { params: { project }, query: { limit: 500 } });
      if (output.json) output.data(items);
      else if (items.length === 0) output.line(`No service in ${project} yet; deploy one: skyrun deploy app.tar`);
      else
        output.line(
          table(
            ['name', 'ready', 'instances', 'url', 'revision', 'age'],
            items.map((item) => row(item, clock.now())),
          ),
        );
      return EXIT.ok;
    }
    const params = { project, service: name };
    const [service, instances, revisions] = await Promise.all([
      client.call(OPERATIONS.getService, { params }),
      client.call(OPERATIONS.listInstances, { params }),
      client.call(OPERATIONS.listRevisions, { params }),
    ]);
    if (output.json) {
      output.data({ service, instances: instances.items, revisions: revisions.items });
      return EXIT.ok;
    }
    output.line(`${service.name}  ${service.status.url}`);
    for (const { type, status, reason, message } of service.status.conditions) {
      output.line(`  ${type}: ${status}${reason ? ` (${reason})` : ''}${message ? `  ${message}` : ''}`);
    }
    output.line();
    for (const line of trafficLines(service)) output.line(line);
    output.line();
    output.line(
      table(
        ['instance', 'revision', 'state', 'node', 'age'],
        instances.items.map((item) => [
          item.id,
          item.revisionName,
          item.state,
          item.node,
          age(item.createdAt, clock.now()),
        ]),
      ),
    );
    output.line();
    output.line(
      table(
        ['revision', 'ready', 'image', 'age'],
        revisions.items.map((item) => [
          item.name,
          item.conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
          item.template.image,
          age(item.createdAt, clock.now()),
        ]),
      ),
    );
    return EXIT.ok;
  },
};

function row(service: Service, now: number): string[] {
  const { ready, starting } = service.status.instances;
  return [
    service.name,
    service.status.conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
    starting > 0 ? `${ready} (+${starting})` : String(ready),
    service.status.url,
    service.status.latestReadyRevision ?? '-',
    age(service.createdAt, now),
  ];
}
