import { Problem } from '@skyrun/contracts';
import type { ServiceRow } from '../store/tables.ts';
import { etagOf } from './views.ts';

/** @throws Problem `resource.precondition_failed` */
export function requireMatch(service: ServiceRow, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(etagOf(service))) return;
  throw new Problem('resource.precondition_failed', {
    detail: `The service is at generation ${service.generation} now; read it again and repeat the change`,
  });
}
