import { availableParallelism, loadavg } from 'node:os';

/**
 * How long something may take here that is promised within `ms` of a machine with a core for whoever wants one: longer in
 * proportion, by the load of the last minute, where several share one.
 */
export function withinLoad(ms: number): number {
  const [load = 0] = loadavg();
  return ms * Math.max(1, load / availableParallelism());
}
