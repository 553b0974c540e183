import type { DesiredState } from '@skyrun/contracts';
import type { ServiceState } from '../services/service-state.ts';
import { toRevision } from '../services/views.ts';
import type { RevisionRow } from '../store/tables.ts';

type Entry = DesiredState['revisions'][number];

/**
 * What should run. `retired` are revisions that no service wants but of which something runs, or did until just now;
 * the others are not listed, so the list is as long as what there is to do.
 */
export function buildDesired(states: readonly ServiceState[], retired: readonly RevisionRow[], now: number): Entry[] {
  return [
    ...states.flatMap(wanted),
    ...retired.map((row): Entry => ({ revision: toRevision(row), want: lingers(row, now) ? 'serving' : 'retired' })),
  ];
}

/** What had traffic a moment ago scales down with it by itself, and is there if traffic comes back. */
function lingers({ lingers_until }: RevisionRow, now: number): boolean {
  return lingers_until !== null && lingers_until.getTime() > now;
}

/** A failed newest revision stays `starting`: the orchestrator tries it again with backoff, and it may yet succeed. */
function wanted({ newest, routed, warming }: ServiceState): Entry[] {
  const wants = new Map<string, Entry>();
  const add = (row: RevisionRow, want: Entry['want']) => {
    if (!wants.has(row.id)) wants.set(row.id, { revision: toRevision(row), want });
  };
  for (const { revision } of routed) add(revision, 'serving');
  for (const revision of warming) add(revision, 'starting');
  if (newest.state !== 'ready') add(newest, 'starting');
  return [...wants.values()];
}
