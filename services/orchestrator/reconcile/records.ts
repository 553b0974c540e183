import type { DesiredState, Instance, RevisionTemplate, RouteInstance, StartPhases } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { InstanceIdentity, InstanceSpec, RuntimeInstance } from '../runtime/runtime.ts';

export type DesiredRevision = DesiredState['revisions'][number];

/** An instance as the store remembers it; times in Unix milliseconds. Written before its container exists. */
export interface InstanceRecord extends InstanceIdentity {
  readonly state: Instance['state'];
  readonly node: string;
  readonly address: string | null;
  readonly startedAt: number | null;
  readonly readyAt: number | null;
  readonly drainingAt: number | null;
  readonly endedAt: number | null;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly startPhases: StartPhases | null;
  /** Usage is recorded up to here; null until the container has started. */
  readonly usageUntil: number | null;
  /** Grows with each change of state. */
  readonly stateVersion: number;
  /** Since when it is paused or parked. */
  readonly idleSince: number | null;
  /** Since when its processes do not run, while paused: a moment after gateways were told. */
  readonly frozenAt: number | null;
}

/** Whether a revision answers, as tried so far. */
export interface RevisionVerdict {
  readonly revisionId: string;
  readonly state: 'pending' | 'ready' | 'failed';
  readonly reason: string | null;
  readonly message: string | null;
  /** Instances that failed one after the other. */
  readonly failures: number;
  /** When the last of them was counted; 0 when none was. */
  readonly failedAt: number;
  /** No instance is started before this moment; 0 when none failed. */
  readonly retryAt: number;
}

/** What is known of an instance's container: `unseen` until the engine was asked. */
export type Container = RuntimeInstance | 'absent' | 'unseen';

/** Whether it counts towards what is wanted. */
export function isLive(state: Instance['state']): boolean {
  return state === 'starting' || state === 'ready' || state === 'unready';
}

export function newRecord(
  { revision }: DesiredRevision,
  { instanceId, node, now }: { instanceId: string; node: string; now: number },
): InstanceRecord {
  const { template } = revision;
  return {
    instanceId,
    project: revision.project,
    service: revision.service,
    serviceId: revision.serviceId,
    revisionId: revision.id,
    revisionName: revision.name,
    port: template.port,
    cpuMilli: template.resources.cpuMilli,
    memoryMib: template.resources.memoryMib,
    billingMode: template.billingMode,
    terminationGraceSeconds: template.terminationGraceSeconds,
    createdAt: now,
    ...untouched,
    node,
  };
}

const untouched = {
  state: 'starting',
  address: null,
  startedAt: null,
  readyAt: null,
  drainingAt: null,
  endedAt: null,
  reason: null,
  exitCode: null,
  startPhases: null,
  usageUntil: null,
  stateVersion: 0,
  idleSince: null,
  frozenAt: null,
} as const;

/** A record for a container that the store has none of, as after its database was lost. */
export function adoptedRecord(found: RuntimeInstance, node: string): InstanceRecord {
  const startedAt = found.startedAt ?? null;
  return {
    ...found.identity,
    ...untouched,
    node,
    address: found.address ?? null,
    port: found.port ?? found.identity.port,
    startedAt,
    usageUntil: startedAt,
  };
}

/** The container contract: the tenant's own variables, then the platform's, which win. */
export function instanceSpec({ revision }: DesiredRevision, record: InstanceRecord): InstanceSpec {
  const { template } = revision;
  const platform = { PORT: String(template.port), ...knativeNames(revision.service, revision.name) };
  const { instanceId, project, service, serviceId, revisionId, revisionName, port, cpuMilli, memoryMib } = record;
  const { billingMode, terminationGraceSeconds, createdAt } = record;
  return {
    instanceId,
    project,
    service,
    serviceId,
    revisionId,
    revisionName,
    port,
    cpuMilli,
    memoryMib,
    billingMode,
    terminationGraceSeconds,
    createdAt,
    image: revision.imageReference,
    ...launch(template),
    ...environmentOf(template, platform),
  };
}

/** What is given by value here; what comes from secrets is looked up when the container is made. */
function environmentOf({ env }: RevisionTemplate, platform: Readonly<Record<string, string>>) {
  const given = env.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]));
  const secrets = env.flatMap(({ name, valueFrom }) =>
    valueFrom === undefined ? [] : [{ name, secret: valueFrom.secretKeyRef }],
  );
  return {
    env: [...given, ...Object.entries(platform).map(([name, value]) => ({ name, value }))],
    ...(secrets.length === 0 ? {} : { secrets }),
  };
}

function knativeNames(service: string, revision: string) {
  return { K_SERVICE: service, K_REVISION: revision, K_CONFIGURATION: service };
}

function launch({ command, args, workingDir, runAsUser }: RevisionTemplate) {
  return {
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
  };
}

/** A ready instance as gateways know it. */
export function routeInstanceOf({ instanceId, address, port, stateVersion }: InstanceRecord): RouteInstance[] {
  return address === null ? [] : [{ id: instanceId, address, port, state: 'ready', version: stateVersion }];
}

/** The instance as the API and the events show it. */
export function toInstance(record: InstanceRecord): Instance {
  const { readyAt, endedAt, reason, exitCode, startPhases, address } = record;
  return {
    id: record.instanceId,
    project: record.project,
    service: record.service,
    serviceId: record.serviceId,
    revisionId: record.revisionId,
    revisionName: record.revisionName,
    state: record.state,
    stateVersion: record.stateVersion,
    node: record.node,
    createdAt: isoTime(record.createdAt),
    ...(address === null ? {} : { address, port: record.port }),
    ...(readyAt === null ? {} : { readyAt: isoTime(readyAt) }),
    ...(endedAt === null ? {} : { endedAt: isoTime(endedAt) }),
    ...(reason === null ? {} : { reason }),
    ...(exitCode === null ? {} : { exitCode }),
    ...(startPhases === null ? {} : { startPhases }),
  };
}
