import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type EnvironmentVariable,
  keepUnsaid,
  OPERATIONS,
  Problem,
  type Service,
  type ServiceSpec,
  serviceSpec,
  toServiceSpec,
} from '@skyrun/contracts';
import { parse } from 'yaml';
import { type Command, type CommandContext, EXIT, NotReadyError, type SignedInClient, UsageError } from '../command.ts';
import { chooseProject, one } from '../project.ts';
import {
  parseCpu,
  parseEnvironment,
  parseMemory,
  parseSecretVariables,
  parseWhole,
  serviceNameFrom,
} from '../template.ts';
import { parseRollout, retag } from '../traffic.ts';
import { archiveSource, engineSource, uploadImage } from '../upload.ts';
import { milliseconds } from './load.ts';

export const deploy: Command = {
  name: 'deploy',
  usage:
    '<archive.tar | local-image | --image NAME[:TAG]> [--name S] [--project P]\n' +
    '         [--port 8080] [--cpu 1] [--memory 512Mi] [--env K=V]… [--secret K=NAME[:VERSION]]… [--timeout 300s]\n' +
    '         [--min 0] [--max 20] [--concurrency 80] [--rollout 10%:30s,50%:2m] [--canary] [--no-traffic] [--tag TAG]\n' +
    '         [--wait 120s | --no-wait]\n' +
    '       deploy -f service.yaml [--project P] [--wait 120s | --no-wait]   (a Knative Service)',
  summary: 'Upload an image and run it; an existing service gets a new revision',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: {
        file: { type: 'string', short: 'f' },
        image: { type: 'string' },
        name: { type: 'string' },
        port: { type: 'string' },
        min: { type: 'string' },
        max: { type: 'string' },
        concurrency: { type: 'string' },
        cpu: { type: 'string' },
        memory: { type: 'string' },
        env: { type: 'string', multiple: true, default: [] },
        secret: { type: 'string', multiple: true, default: [] },
        timeout: { type: 'string' },
        wait: { type: 'string', default: '120s' },
        rollout: { type: 'string' },
        canary: { type: 'boolean', default: false },
        'no-traffic': { type: 'boolean', default: false },
        tag: { type: 'string' },
        'no-wait': { type: 'boolean', default: false },
        project: { type: 'string' },
      },
    });
    const client = await context.client();
    const wanted =
      values.file === undefined
        ? await fromFlags(context, client, values, positionals)
        : await fromFile(context, client, values);
    const service = await apply(client, wanted, values.file === undefined ? values : null);
    const ready = values['no-wait']
      ? service
      : await waitReady(context, client, wanted, service, milliseconds(values.wait, '--wait'));
    if (context.output.json) context.output.data(ready);
    else
      context.output.line(
        `${ready.name}  ${ready.status.latestReadyRevision ?? ready.status.latestCreatedRevision ?? ''}  ${ready.status.url}`,
      );
    return EXIT.ok;
  },
};

interface Wanted {
  readonly project: string;
  readonly name: string;
  readonly spec: ServiceSpec;
}

interface Flags {
  readonly [flag: string]: string | boolean | string[] | undefined;
  readonly env: string[];
  readonly secret: string[];
}

async function fromFlags(
  context: CommandContext,
  client: SignedInClient,
  flags: Flags,
  positionals: readonly string[],
): Promise<Wanted> {
  const text = (flag: string) => (typeof flags[flag] === 'string' ? flags[flag] : undefined);
  const project = await chooseProject(context, client, text('project'));
  const uploaded = text('image');
  if (uploaded !== undefined && positionals.length > 0) throw new UsageError('give an archive or --image, not both');
  const given = uploaded ?? one(positionals, 'the archive or image');
  const name = text('name') ?? serviceNameFrom(given);
  // What is given is checked before a long upload begins.
  const env = [...parseEnvironment(flags.env), ...parseSecretVariables(flags.secret)];
  const template = templateOf('pending', env, text);
  checked({ template });
  if (uploaded !== undefined) return { project, name, spec: checked({ template: { ...template, image: uploaded } }) };
  const source = (await archiveSource(given)) ?? engineSource(given, context.environment.dockerSocket);
  const image = await uploadImage(context, client, project, source, { name });
  return { project, name, spec: checked({ template: { ...template, image: image.digest } }) };
}

function templateOf(image: string, env: readonly EnvironmentVariable[], text: (flag: string) => string | undefined) {
  const whole = (flag: string) => (text(flag) === undefined ? undefined : parseWhole(text(flag) ?? '', `--${flag}`));
  const timeout = text('timeout');
  const cpu = text('cpu');
  const memory = text('memory');
  return defined({
    image,
    port: whole('port'),
    containerConcurrency: whole('concurrency'),
    timeoutSeconds: timeout === undefined ? undefined : Math.ceil(milliseconds(timeout, '--timeout') / 1000),
    env: [...env],
    resources: defined({
      cpuMilli: cpu === undefined ? undefined : parseCpu(cpu),
      memoryMib: memory === undefined ? undefined : parseMemory(memory),
    }),
    scaling: defined({ minScale: whole('min'), maxScale: whole('max') }),
  });
}

function defined<Fields extends Record<string, unknown>>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}

async function fromFile(context: CommandContext, client: SignedInClient, flags: Flags): Promise<Wanted> {
  const text = await readFile(String(flags['file']), 'utf8').catch((cause: unknown) => {
    throw new UsageError(`--file ${String(flags['file'])} cannot be read`, { cause });
  });
  const { name, project, spec, warnings } = toServiceSpec(parse(text));
  for (const warning of warnings) context.output.error(`note: ${warning}`);
  const given = typeof flags['project'] === 'string' ? flags['project'] : project;
  return { project: await chooseProject(context, client, given), name, spec };
}

function checked(spec: unknown): ServiceSpec {
  const parsed = serviceSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue?.path.join('.')}: ${issue?.message}`);
}

interface TrafficFlags {
  readonly rollout?: string | undefined;
  readonly canary: boolean;
  readonly 'no-traffic': boolean;
  readonly tag?: string | undefined;
}

/** Creates the service, or changes the one that has the name. Flags change what they name; a file all that it has words for. */
async function apply(
  client: SignedInClient,
  { project, name, spec }: Wanted,
  flags: TrafficFlags | null,
): Promise<Service> {
  const params = { project, service: name };
  const known = await client.call(OPERATIONS.getService, { params }).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'resource.not_found') return null;
    throw error;
  });
  const wanted = flags === null ? keepUnsaid(spec, known?.spec ?? null) : withTraffic(spec, known, flags);
  return known === null
    ? client.call(OPERATIONS.createService, { params: { project }, body: { name, spec: wanted } })
    : client.call(OPERATIONS.replaceService, { params, body: { spec: wanted } });
}

function withTraffic(spec: ServiceSpec, known: Service | null, flags: TrafficFlags): ServiceSpec {
  if (flags.canary && flags.rollout === undefined)
    throw new UsageError('--canary needs --rollout, e.g. 10%:30s,50%:2m');
  if (flags['no-traffic'] && known === null) throw new UsageError('--no-traffic: a new service has no other revision');
  const kept = known === null ? spec : { ...known.spec, template: spec.template };
  const serving = known?.status.traffic.filter(({ percent, latestRevision }) => percent > 0 && latestRevision === true);
  const pinned = flags['no-traffic']
    ? kept.traffic.map((target) =>
        target.revisionName === undefined && serving?.[0] !== undefined
          ? { percent: target.percent, revisionName: serving[0].revisionName }
          : target,
      )
    : kept.traffic;
  const rollout =
    flags.rollout === undefined
      ? {}
      : { rollout: { steps: parseRollout(flags.rollout), ...(flags.canary ? { canary: {} } : {}) } };
  return checked({
    ...kept,
    traffic: flags.tag === undefined ? pinned : retag(pinned, { set: `${flags.tag}=LATEST` }),
    ...rollout,
  });
}

async function waitReady(
  context: CommandContext,
  client: SignedInClient,
  { project, name }: Wanted,
  applied: Service,
  limitMs: number,
): Promise<Service> {
  const { clock, output, signal } = context;
  const started = clock.monotonic();
  for (;;) {
    const service = await client.call(OPERATIONS.getService, { params: { project, service: name } });
    const ready = service.status.conditions.find(({ type }) => type === 'Ready');
    const current = service.status.latestReadyRevision === applied.status.latestCreatedRevision;
    if (ready?.status === 'True' && current) return service;
    if (ready?.reason === 'RolloutInProgress' && current) {
      output.error(`${ready.message ?? 'rolling out'}; it goes on: skyrun services rollouts ${name}`);
      return service;
    }
    if (ready?.status === 'False') {
      throw new NotReadyError(
        `${applied.status.latestCreatedRevision} did not become ready: ${ready.reason ?? ''} ${ready.message ?? ''}`,
      );
    }
    const waited = clock.monotonic() - started;
    if (waited > limitMs) {
      throw new NotReadyError(
        `${name} is not ready after ${Math.round(waited / 1000)} s: ${ready?.reason ?? 'no word yet'} ${ready?.message ?? ''}; it goes on: skyrun services ${name}`,
      );
    }
    output.progress(
      `starting ${applied.status.latestCreatedRevision}: ${ready?.reason ?? 'waiting'} (${Math.round(waited / 1000)} s)`,
    );
    await clock.sleep(200, signal);
  }
}
