import type { Insertable, Selectable } from 'kysely';
import type { InstanceRecord, RevisionVerdict } from '../reconcile/records.ts';
import type { OrchestratorTables } from './tables.ts';

type InstanceRow = Selectable<OrchestratorTables['instances']>;

const date = (ms: number | null) => (ms === null ? null : new Date(ms));
const ms = (time: Date | null) => time?.getTime() ?? null;

export function toRow(record: InstanceRecord): Insertable<OrchestratorTables['instances']> {
  return {
    id: record.instanceId,
    project: record.project,
    service: record.service,
    service_id: record.serviceId,
    revision_id: record.revisionId,
    revision_name: record.revisionName,
    state: record.state,
    node: record.node,
    address: record.address,
    port: record.port,
    cpu_milli: record.cpuMilli,
    memory_mib: record.memoryMib,
    billing_mode: record.billingMode,
    grace_seconds: record.terminationGraceSeconds,
    created_at: new Date(record.createdAt),
    started_at: date(record.startedAt),
    ready_at: date(record.readyAt),
    draining_at: date(record.drainingAt),
    ended_at: date(record.endedAt),
    reason: record.reason,
    exit_code: record.exitCode,
    start_phases: record.startPhases === null ? null : JSON.stringify(record.startPhases),
    usage_until: date(record.usageUntil),
    state_version: record.stateVersion,
    idle_since: date(record.idleSince),
    frozen_at: date(record.frozenAt),
  };
}

export function fromRow(row: InstanceRow): InstanceRecord {
  return {
    instanceId: row.id,
    project: row.project,
    service: row.service,
    serviceId: row.service_id,
    revisionId: row.revision_id,
    revisionName: row.revision_name,
    state: row.state,
    node: row.node,
    address: row.address,
    port: row.port,
    cpuMilli: row.cpu_milli,
    memoryMib: row.memory_mib,
    billingMode: row.billing_mode,
    terminationGraceSeconds: row.grace_seconds,
    createdAt: row.created_at.getTime(),
    startedAt: ms(row.started_at),
    readyAt: ms(row.ready_at),
    drainingAt: ms(row.draining_at),
    endedAt: ms(row.ended_at),
    reason: row.reason,
    exitCode: row.exit_code,
    startPhases: row.start_phases,
    usageUntil: ms(row.usage_until),
    stateVersion: row.state_version,
    idleSince: ms(row.idle_since),
    frozenAt: ms(row.frozen_at),
  };
}

export function toVerdict(row: Selectable<OrchestratorTables['revisions']>): RevisionVerdict {
  return {
    revisionId: row.revision_id,
    state: row.state,
    reason: row.reason,
    message: row.message,
    failures: row.failures,
    failedAt: ms(row.failed_at) ?? 0,
    retryAt: ms(row.retry_at) ?? 0,
  };
}
