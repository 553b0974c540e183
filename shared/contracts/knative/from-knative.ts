import type { z } from 'zod';
import { dnsLabel } from '../names.ts';
import { type FieldError, Problem } from '../problem.ts';
import { type ServiceSpec, serviceSpec } from '../resources/service.ts';
import { ANNOTATION_RULES, type Patch } from './annotations.ts';
import { CONTAINER, SPEC, TEMPLATE } from './places.ts';
import { readProbes } from './probes.ts';
import { parseCpu, parseMemory } from './quantity.ts';
import { type KnativeService, knativeService, UNSUPPORTED, WITHOUT_EFFECT } from './schema.ts';
import { readServiceAnnotations } from './service-annotations.ts';

export interface NamedServiceSpec {
  /** From `metadata.namespace`; undefined where there is none. */
  readonly project: string | undefined;
  readonly name: string;
  readonly spec: ServiceSpec;
  /** What was given and can have no effect here, one sentence each. */
  readonly warnings: readonly string[];
}

type TemplateInput = z.input<typeof serviceSpec>['template'];
type KnativeContainer = KnativeService['spec']['template']['spec']['containers'][number];

/**
 * Reads a Knative Service (parsed YAML or JSON).
 * @throws Problem `request.invalid` with a JSON pointer and the reason for each field that is wrong or not supported
 */
export function toServiceSpec(input: unknown): NamedServiceSpec {
  const parsed = knativeService.safeParse(input);
  if (!parsed.success) throw refusal(parsed.error.issues.flatMap(issueErrors));
  const { metadata, spec } = parsed.data;
  const errors: FieldError[] = [];
  const warnings = withoutEffect(spec.template.spec);
  for (const [field, name] of [
    ['name', metadata.name],
    ['namespace', metadata.namespace],
  ] as const) {
    const checked = name === undefined ? undefined : dnsLabel.safeParse(name);
    if (checked?.success === false) {
      errors.push(...checked.error.issues.map(({ message }) => ({ field: `/metadata/${field}`, message })));
    }
  }
  const extras = readServiceAnnotations(metadata.annotations ?? {}, '/metadata/annotations', errors);
  const candidate = {
    ...extras,
    template: readTemplate(spec.template, errors),
    ...(spec.traffic === undefined ? {} : { traffic: spec.traffic.map(readTraffic) }),
  };
  const checked = serviceSpec.safeParse(candidate);
  if (!checked.success) {
    for (const { path, message } of checked.error.issues) errors.push({ field: originOf(path), message });
  }
  if (errors.length > 0 || !checked.success) throw refusal(errors);
  return { project: metadata.namespace, name: metadata.name, spec: checked.data, warnings };
}

function readTemplate(template: KnativeService['spec']['template'], errors: FieldError[]): TemplateInput {
  const { containerConcurrency, timeoutSeconds, terminationGracePeriodSeconds, containers } = template.spec;
  const [container] = containers;
  if (container === undefined) throw refusal([{ field: `${SPEC}/containers`, message: 'expected one container' }]);
  const { image, ports, env, command, args, workingDir, resources } = container;
  const [port] = ports ?? [];
  const { patch, kept } = readAnnotations(template.metadata?.annotations ?? {}, errors);
  const runAsUser = readUser(container.securityContext, errors);
  const probes = readProbes(container, port?.containerPort, errors);
  return {
    image,
    ...defined({
      port: port?.containerPort,
      protocol: port?.name === 'h2c' ? ('h2c' as const) : undefined,
      env: env?.map(readVariable),
      command,
      args,
      workingDir,
      containerConcurrency,
      timeoutSeconds,
      terminationGraceSeconds: terminationGracePeriodSeconds,
      billingMode: patch.billingMode,
      runAsUser,
      labels: notEmpty(template.metadata?.labels),
      annotations: notEmpty(kept),
    }),
    resources: readLimits(resources?.limits ?? {}, errors),
    scaling: { ...patch.scaling },
    ...probes,
    startupProbe: { ...probes.startupProbe, ...patch.startupProbe },
  };
}

/** Annotations that say how to run it are read; those of others, such as `client.knative.dev/user-image`, are kept. */
function readAnnotations(
  annotations: Readonly<Record<string, string>>,
  errors: FieldError[],
): { patch: Patch; kept: Record<string, string> } {
  let patch: Patch = {};
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(annotations)) {
    const field = `${TEMPLATE}/metadata/annotations/${escapePointer(name)}`;
    const rule = ANNOTATION_RULES.find(({ names }) => names.includes(name));
    if (rule === undefined) {
      // A misspelt one of these would be taken for a wish that is heeded.
      if (/^(autoscaling\.knative\.dev|skyrun\.dev)\//.test(name)) {
        errors.push({ field, message: 'this annotation is not supported' });
      } else kept[name] = value;
      continue;
    }
    const read = rule.read(value);
    if (read === null) {
      errors.push({ field, message: rule.expected });
      continue;
    }
    patch = {
      ...patch,
      ...read,
      scaling: mergeScaling(patch.scaling, read.scaling),
      startupProbe: { ...patch.startupProbe, ...read.startupProbe },
    };
  }
  return { patch, kept };
}

function readUser(
  context: KnativeService['spec']['template']['spec']['containers'][number]['securityContext'],
  errors: FieldError[],
): number | undefined {
  if (context?.runAsNonRoot === true && (context.runAsUser === undefined || context.runAsUser === 0)) {
    errors.push({
      field: `${CONTAINER}/securityContext/runAsNonRoot`,
      message: 'give runAsUser, the number of a user that is not root',
    });
  }
  return context?.runAsUser;
}

function withoutEffect(spec: KnativeService['spec']['template']['spec']): string[] {
  const [container] = spec.containers;
  const given = { ...spec, ...container, ...container?.resources } as Readonly<Record<string, unknown>>;
  return Object.entries(WITHOUT_EFFECT).flatMap(([name, why]) =>
    given[name] === undefined ? [] : [`${name} has no effect: ${why}`],
  );
}

function notEmpty(all: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  return all === undefined || Object.keys(all).length === 0 ? undefined : { ...all };
}

/** `idle` is the only field that several annotations write. */
function mergeScaling(one: Patch['scaling'] = {}, other: Patch['scaling'] = {}): NonNullable<Patch['scaling']> {
  const idle = { ...one.idle, ...other.idle };
  return { ...one, ...other, ...(Object.keys(idle).length === 0 ? {} : { idle }) };
}

function readLimits(
  limits: { cpu?: string | number | undefined; memory?: string | number | undefined },
  errors: FieldError[],
) {
  const field = `${CONTAINER}/resources/limits`;
  const cpuMilli = limits.cpu === undefined ? undefined : parseCpu(limits.cpu);
  const memoryMib = limits.memory === undefined ? undefined : parseMemory(limits.memory);
  if (cpuMilli === null) errors.push({ field: `${field}/cpu`, message: 'expected a quantity such as 500m or 1' });
  if (memoryMib === null) errors.push({ field: `${field}/memory`, message: 'expected a quantity such as 512Mi' });
  return defined({ cpuMilli: cpuMilli ?? undefined, memoryMib: memoryMib ?? undefined });
}

/** A variable without a value is an empty one, as in Kubernetes. */
function readVariable({ name, value, valueFrom }: NonNullable<KnativeContainer['env']>[number]) {
  if (valueFrom === undefined) return { name, value: value ?? '' };
  const { name: secret, key } = valueFrom.secretKeyRef;
  return { name, ...defined({ value }), valueFrom: { secretKeyRef: { name: secret, ...defined({ key }) } } };
}

function readTraffic({
  revisionName,
  latestRevision,
  percent = 0,
  tag,
}: NonNullable<KnativeService['spec']['traffic']>[number]) {
  return { percent, ...defined({ revisionName, latestRevision, tag }) };
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function defined<Fields extends Record<string, unknown>>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
}

/** Where the field of our spec came from. */
const ORIGINS: Readonly<Record<string, string>> = {
  image: `${CONTAINER}/image`,
  port: `${CONTAINER}/ports/0/containerPort`,
  protocol: `${CONTAINER}/ports/0/name`,
  command: `${CONTAINER}/command`,
  args: `${CONTAINER}/args`,
  workingDir: `${CONTAINER}/workingDir`,
  env: `${CONTAINER}/env`,
  containerConcurrency: `${SPEC}/containerConcurrency`,
  timeoutSeconds: `${SPEC}/timeoutSeconds`,
  terminationGraceSeconds: `${SPEC}/terminationGracePeriodSeconds`,
  resources: `${CONTAINER}/resources/limits`,
  scaling: `${TEMPLATE}/metadata/annotations`,
  startupProbe: `${CONTAINER}/startupProbe`,
  readinessProbe: `${CONTAINER}/readinessProbe`,
  livenessProbe: `${CONTAINER}/livenessProbe`,
  billingMode: `${TEMPLATE}/metadata/annotations`,
  runAsUser: `${CONTAINER}/securityContext/runAsUser`,
  labels: `${TEMPLATE}/metadata/labels`,
  annotations: `${TEMPLATE}/metadata/annotations`,
};

/** Names of limits and annotations, where one field of ours is one of theirs. */
const LEAVES: Readonly<Record<string, string>> = {
  cpuMilli: 'cpu',
  memoryMib: 'memory',
  minScale: 'autoscaling.knative.dev/min-scale',
  maxScale: 'autoscaling.knative.dev/max-scale',
  target: 'autoscaling.knative.dev/target',
  targetUtilization: 'autoscaling.knative.dev/target-utilization-percentage',
  stableWindowSeconds: 'autoscaling.knative.dev/window',
  panicWindowPercent: 'autoscaling.knative.dev/panic-window-percentage',
  panicThresholdPercent: 'autoscaling.knative.dev/panic-threshold-percentage',
  scaleToZeroGraceSeconds: 'autoscaling.knative.dev/scale-to-zero-pod-retention-period',
  scaleDownDelaySeconds: 'autoscaling.knative.dev/scale-down-delay',
  metric: 'autoscaling.knative.dev/metric',
  initialScale: 'autoscaling.knative.dev/initial-scale',
  activationScale: 'autoscaling.knative.dev/activation-scale',
  maxScaleUpRate: 'skyrun.dev/max-scale-up-rate',
  maxScaleDownRate: 'skyrun.dev/max-scale-down-rate',
  targets: 'skyrun.dev/scale-targets',
  schedules: 'skyrun.dev/scale-schedules',
  predictive: 'skyrun.dev/scale-predictive',
  warmPool: 'skyrun.dev/warm-pool',
};

function originOf(path: readonly PropertyKey[]): string {
  const [head, field, ...rest] = path.map(String);
  if (head !== 'template' || field === undefined) return pointer(['spec', ...path]);
  const origin = ORIGINS[field] ?? `${TEMPLATE}/${field}`;
  return [origin, ...rest.map((part) => escapePointer(LEAVES[part] ?? part))].join('/');
}

function issueErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: pointer(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({
    field: pointer([...issue.path, key]),
    message: UNSUPPORTED[key] ?? 'this field is not supported',
  }));
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escapePointer(String(part))}`).join('');
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function refusal(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const detail =
    first === undefined ? 'not a Knative Service' : `${first.field === '' ? '/' : first.field}: ${first.message}`;
  return new Problem('request.invalid', { detail, errors });
}
