import { Problem } from '@skyrun/contracts';
import type { DesiredFollower } from '../desired/follow-desired.ts';
import type { Reads, ServiceQuery } from '../store/reads.ts';

export interface RequireServiceDeps {
  readonly desired: Pick<DesiredFollower, 'current' | 'refresh' | 'answers'>;
  readonly reads: Pick<Reads, 'hasRun'>;
}

/**
 * Whether there is such a service, or was one whose traces are kept. An empty list would say that it is idle.
 * While the registry is silent nobody can tell, and what is known is answered.
 * @throws Problem `resource.not_found`
 */
export async function requireService({ desired, reads }: RequireServiceDeps, query: ServiceQuery): Promise<void> {
  if (isDesired(desired, query) || (await reads.hasRun(query))) return;
  await desired.refresh();
  if (isDesired(desired, query) || !desired.answers()) return;
  throw new Problem('resource.not_found', { detail: `there is no service ${query.service} in ${query.project}` });
}

function isDesired(desired: RequireServiceDeps['desired'], { project, service }: ServiceQuery): boolean {
  for (const { revision } of desired.current()?.values() ?? []) {
    if (revision.project === project && revision.service === service) return true;
  }
  return false;
}
