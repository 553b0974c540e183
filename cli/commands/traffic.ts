import { parseArgs } from 'node:util';
import { OPERATIONS, type Service, type TrafficTarget } from '@skyrun/contracts';
import { type CommandContext, EXIT, UsageError } from '../command.ts';
import { table } from '../output.ts';
import { chooseProject, one } from '../project.ts';
import { retag, retarget } from '../traffic.ts';

/** `services update-traffic`: says who gets the traffic from now on, as gcloud does. */
export async function updateTraffic(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'to-revisions': { type: 'string' },
      'to-latest': { type: 'boolean', default: false },
      'set-tags': { type: 'string' },
      'update-tags': { type: 'string' },
      'remove-tags': { type: 'string' },
      project: { type: 'string' },
    },
  });
  const name = one(positionals, 'the service');
  const set = values['set-tags'] ?? values['update-tags'];
  const shares = values['to-revisions'];
  if (values['to-latest'] && shares !== undefined) throw new UsageError('give --to-latest or --to-revisions, not both');
  if (!values['to-latest'] && shares === undefined && set === undefined && values['remove-tags'] === undefined) {
    throw new UsageError('give --to-latest, --to-revisions, --set-tags or --remove-tags');
  }
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const params = { project, service: name };
  const service = await client.call(OPERATIONS.getService, { params });
  let traffic: TrafficTarget[] = service.spec.traffic;
  if (values['to-latest']) traffic = retarget(traffic, 'LATEST=100');
  if (shares !== undefined) traffic = retarget(traffic, shares);
  traffic = retag(traffic, { set, remove: values['remove-tags'] });
  const changed = await client.call(OPERATIONS.updateTraffic, {
    params,
    body: { traffic },
    headers: { 'if-match': `"${service.generation}"` },
  });
  show(context, changed);
  return EXIT.ok;
}

/** `services rollback`: all traffic back to the revision before, at once. */
export async function rollback(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { to: { type: 'string' }, project: { type: 'string' } },
  });
  const service = one(positionals, 'the service');
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const body = values.to === undefined ? {} : { toRevision: values.to };
  show(context, await client.call(OPERATIONS.rollBack, { params: { project, service }, body }));
  return EXIT.ok;
}

/** `services rollouts`: each step and verdict, with its reason. */
export async function rollouts(context: CommandContext, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { project: { type: 'string' } },
  });
  const service = one(positionals, 'the service');
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const { items } = await client.call(OPERATIONS.listRollouts, { params: { project, service } });
  if (context.output.json) context.output.data(items);
  else if (items.length === 0)
    context.output.line(`${service} has had no rollout; deploy with --rollout 10%:30s,50%:2m`);
  for (const { fromRevision, toRevision, state, sentence, decisions } of context.output.json ? [] : items) {
    context.output.line(`${fromRevision} → ${toRevision}  ${state}`);
    for (const { at, verdict, sentence: why } of decisions) context.output.line(`  ${at}  ${verdict}  ${why}`);
    if (state === 'running') context.output.line(`  now  ${sentence}`);
  }
  return EXIT.ok;
}

function show({ output }: CommandContext, service: Service): void {
  if (output.json) {
    output.data(service);
    return;
  }
  for (const line of trafficLines(service)) output.line(line);
}

/** Who has the traffic, and what keeps it from going where it should. */
export function trafficLines({ status }: Service): string[] {
  const routes = status.conditions.find(({ type }) => type === 'RoutesReady');
  const rows = status.traffic.map(({ percent, revisionName, tag, url, latestRevision }) => [
    `${percent} %`,
    revisionName,
    latestRevision === true ? 'yes' : '',
    tag ?? '',
    url ?? '',
  ]);
  return [
    ...(rows.length === 0 ? [] : [table(['traffic', 'revision', 'latest', 'tag', 'url'], rows)]),
    ...(routes?.status === 'True' || routes?.message === undefined
      ? []
      : [`${routes.reason ?? ''}: ${routes.message}`]),
  ];
}
