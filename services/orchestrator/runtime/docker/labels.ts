import type { InstanceIdentity } from '../runtime.ts';

const PREFIX = 'dev.skyrun.';

export const INSTALLATION_LABEL = `${PREFIX}installation`;
export const PROJECT_LABEL = `${PREFIX}project`;
export const INSTANCE_LABEL = `${PREFIX}instance`;

export function containerName(installation: string, instanceId: string): string {
  return `skyrun-${installation}-${instanceId}`;
}

export function networkName(installation: string, project: string): string {
  return `skyrun-${installation}-${project}`;
}

export function writeLabels(installation: string, identity: InstanceIdentity): Record<string, string> {
  return {
    [INSTALLATION_LABEL]: installation,
    [PROJECT_LABEL]: identity.project,
    [INSTANCE_LABEL]: identity.instanceId,
    [`${PREFIX}service`]: identity.service,
    [`${PREFIX}service-id`]: identity.serviceId,
    [`${PREFIX}revision`]: identity.revisionId,
    [`${PREFIX}revision-name`]: identity.revisionName,
    [`${PREFIX}port`]: String(identity.port),
    [`${PREFIX}cpu-milli`]: String(identity.cpuMilli),
    [`${PREFIX}memory-mib`]: String(identity.memoryMib),
    [`${PREFIX}billing-mode`]: identity.billingMode,
    [`${PREFIX}grace-seconds`]: String(identity.terminationGraceSeconds),
    [`${PREFIX}created`]: new Date(identity.createdAt).toISOString(),
  };
}

/** Null where the labels are not ours, or are of a version that we cannot read. */
export function readLabels(labels: Readonly<Record<string, string>>): InstanceIdentity | null {
  const text = (name: string) => labels[PREFIX + name] ?? '';
  const mode = text('billing-mode');
  const createdAt = Date.parse(text('created'));
  const identity: InstanceIdentity = {
    instanceId: text('instance'),
    project: text('project'),
    service: text('service'),
    serviceId: text('service-id'),
    revisionId: text('revision'),
    revisionName: text('revision-name'),
    port: Number(text('port')),
    cpuMilli: Number(text('cpu-milli')),
    memoryMib: Number(text('memory-mib')),
    billingMode: mode === 'instance' ? 'instance' : 'request',
    terminationGraceSeconds: Number(text('grace-seconds')),
    createdAt,
  };
  const texts = [identity.instanceId, identity.project, identity.service, identity.serviceId, identity.revisionId];
  const numbers = [identity.port, identity.cpuMilli, identity.memoryMib, identity.createdAt];
  return texts.every((value) => value !== '') && numbers.every(Number.isFinite) ? identity : null;
}
