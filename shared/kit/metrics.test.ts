import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('what Node tells of itself is named as Prometheus has it: only counters end with _total', async () => {
  const metrics = await createMetrics({ defaults: true }).registry.getMetricsAsJSON();
  const names = metrics.map(({ name }) => name);
  expect(names).toContain('nodejs_active_handles');
  expect(names).toContain('process_cpu_seconds_total');
  expect(metrics.filter(({ name, type }) => name.endsWith('_total') && String(type) !== 'counter')).toEqual([]);
});
