import type { DesiredState } from '@skyrun/contracts';
import type { ServiceState } from '../services/service-state.ts';
import { toRevision } from '../services/views.ts';
import type { RevisionRow } from '../store/tables.ts';

type Entry = DesiredState['revisions'][number];

/**
 * What should run. `retired` are revisions that no service wants but of which something runs, or did until just now;
 * the others are not listed, so the list is as long as what there is to do.
 */
export function buildDesired(states: readonly ServiceState[], retired: readonly RevisionRow[]): Entry[] {
  return [...states.flatMap(wanted), ...retired.map((row): Entry => ({ revision: toRevision(row), want: 'retired' }))];
}

/** A failed newest revision stays `starting`: the orchestrator tries it again with backoff, and it may yet succeed. */
function wanted({ newest, ready }: ServiceState): Entry[] {
  const serving: Entry[] = ready === null ? [] : [{ revision: toRevision(ready), want: 'serving' }];
  if (newest.id === ready?.id) return serving;
  return [...serving, { revision: toRevision(newest), want: 'starting' }];
}
