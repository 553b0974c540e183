import type { InstanceSample } from '@skyrun/contracts';
import { sql } from 'kysely';
import type { MeasuredService } from '../rightsize/right-size.ts';
import type { Sql } from './sql.ts';

/** Keeps a sample; once, however often it is delivered. */
export async function insertSample(db: Sql, sample: InstanceSample): Promise<void> {
  const { project, service, instanceId, samples, cpuMilli, memoryMib, cpuLimitMilli, memoryLimitMib } = sample;
  await sql`
    INSERT INTO instance_sample (project, service, instance_id, window_start, window_end, samples, cpu_p50, cpu_p95,
      cpu_max, memory_p50, memory_p95, memory_max, cpu_limit_milli, memory_limit_mib)
    VALUES (${project}, ${service}, ${instanceId}, ${Date.parse(sample.windowStart)}::int8,
      ${Date.parse(sample.windowEnd)}::int8, ${samples}, ${cpuMilli.p50}, ${cpuMilli.p95}, ${cpuMilli.max},
      ${memoryMib.p50}, ${memoryMib.p95}, ${memoryMib.max}, ${cpuLimitMilli}, ${memoryLimitMib})
    ON CONFLICT DO NOTHING`.execute(db);
}

export async function deleteSamplesBefore(db: Sql, before: number): Promise<void> {
  await sql`DELETE FROM instance_sample WHERE window_start < ${before}::int8`.execute(db);
}

interface MeasuredRecord {
  readonly service: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly windows: number;
  readonly instances: number;
  readonly cpu: [number, number, number];
  readonly memory: [number, number, number];
}

/** What the services of a project used since `from` (Unix ms) at the size that they have now: that of the newest sample. */
export async function measuredServices(db: Sql, project: string, from: number): Promise<MeasuredService[]> {
  const found = await sql<MeasuredRecord>`
    WITH recent AS (SELECT * FROM instance_sample WHERE project = ${project} AND window_start >= ${from}::int8),
    size AS (
      SELECT DISTINCT ON (service) service, cpu_limit_milli, memory_limit_mib FROM recent
      ORDER BY service, window_start DESC, instance_id)
    SELECT service, cpu_limit_milli AS "cpuMilli", memory_limit_mib AS "memoryMib", count(*)::int4 AS windows,
      count(DISTINCT instance_id)::int4 AS instances,
      ARRAY[percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu_p50), percentile_cont(0.95) WITHIN GROUP (ORDER BY cpu_p95),
        max(cpu_max)] AS cpu,
      ARRAY[percentile_cont(0.5) WITHIN GROUP (ORDER BY memory_p50),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY memory_p95), max(memory_max)] AS memory
    FROM recent JOIN size USING (service, cpu_limit_milli, memory_limit_mib)
    GROUP BY service, cpu_limit_milli, memory_limit_mib ORDER BY service`.execute(db);
  return found.rows.map(({ cpu, memory, ...rest }) => ({ ...rest, cpuUsed: usedOf(cpu), memoryUsed: usedOf(memory) }));
}

function usedOf([p50, p95, max]: readonly [number, number, number]): MeasuredService['cpuUsed'] {
  return { p50, p95, max };
}
