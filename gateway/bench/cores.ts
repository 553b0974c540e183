import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The core that all measured proxies share, one at a time, with every thread of theirs; null where there is only one.
 * Instance, load and what else a benchmark needs are kept off it by `leaveToProxies`.
 */
export const PROXY_CORE: number | null = allowedCores().at(-1) ?? null;

/** This process, and whatever it starts from now on, leaves the proxies' core alone. */
export function leaveToProxies(): void {
  if (PROXY_CORE === null) return;
  const others = allowedCores().filter((core) => core !== PROXY_CORE);
  execFileSync('taskset', ['-a', '-c', '-p', others.join(','), String(process.pid)], { stdio: 'ignore' });
}

/** The cores this process may run on, as `0-2,5` in the kernel's list; none where it is only one. */
function allowedCores(): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const cores = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return cores.length > 1 ? cores : [];
}
