import type { RouteTarget } from '@skyrun/contracts';

/** One target by its share of `percent`; `point` is in [0, 1). Null where no target takes traffic. */
export function pickTarget<T extends Pick<RouteTarget, 'percent'>>(targets: readonly T[], point: number): T | null {
  const first = targets[0];
  if (first !== undefined && first.percent === 100) return first;
  let total = 0;
  for (const target of targets) total += target.percent;
  let rest = point * total;
  for (const target of targets) {
    if (target.percent === 0) continue;
    rest -= target.percent;
    if (rest < 0) return target;
  }
  return null;
}

/** Whether a host is of tenants' form, `<something>.<base domain>`, so that an unknown one is a missing service. */
export function isTenantHost(host: string, baseDomain: string): boolean {
  return host.length > baseDomain.length + 1 && host.endsWith(`.${baseDomain}`);
}

/** `a.b.c` → `*.b.c`; a wildcard stands for one label (RFC 6125 §6.4.3). */
export function wildcardOf(host: string): string {
  return `*${host.slice(host.indexOf('.'))}`;
}
