import type Docker from 'dockerode';
import type { InstanceStats } from '../runtime.ts';

const NS_PER_MS = 1_000_000;

/** Null when the engine has no figures, as for a container that has ended. */
export function readStats(stats: Docker.ContainerStats, now: number): InstanceStats | null {
  const cpuNs = stats.cpu_stats?.cpu_usage?.total_usage;
  const usage = stats.memory_stats?.usage;
  if (cpuNs === undefined || usage === undefined) return null;
  // Page cache that the kernel can take back is not the instance's memory; v1 and v2 name it differently.
  const cache = stats.memory_stats.stats?.total_inactive_file ?? stats.memory_stats.stats?.inactive_file ?? 0;
  const networks = Object.values(stats.networks ?? {});
  return {
    at: now,
    cpuMs: Math.floor(cpuNs / NS_PER_MS),
    memoryBytes: Math.max(0, usage - cache),
    processes: stats.pids_stats?.current ?? 0,
    receivedBytes: networks.reduce((sum, network) => sum + network.rx_bytes, 0),
    sentBytes: networks.reduce((sum, network) => sum + network.tx_bytes, 0),
  };
}
