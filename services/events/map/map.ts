import type { ServiceMap } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Groups } from '../consumers/groups.ts';
import { type ObservedWindow, WINDOW_MS } from '../consumers/window.ts';
import type { Registrations } from '../registrations/registrations.ts';
import type { Db } from '../store/tables.ts';
import { pushSums } from './pushes.ts';
import { drawServiceMap } from './service-map.ts';

const MAX_COPIES = 500;

export interface MapDeps {
  readonly db: Db;
  readonly groups: Pick<Groups, 'list'>;
  readonly seen: ObservedWindow;
  readonly registrations: Registrations;
  readonly clock: Clock;
}

/** Gathers what the map of a project is drawn from. */
export function createMap({ db, groups, seen, registrations, clock }: MapDeps) {
  return async (project: string): Promise<ServiceMap> => {
    const now = clock.now();
    const flows = seen.flows(project, now);
    const [known, copies, pushes] = await Promise.all([
      groups.list(),
      registrations.list(project, { limit: MAX_COPIES }),
      pushSums(db, project, now - WINDOW_MS),
    ]);
    const fed = new Set(flows.map(({ group }) => group));
    return drawServiceMap({
      traffic: seen.traffic(project, now),
      calls: seen.calls(project, now),
      flows,
      pushes,
      registrations: copies.items,
      groups: known.filter((group) => group.project === project || fed.has(group.name)),
      now,
    });
  };
}
