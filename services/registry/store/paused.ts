import type { Store } from './tables.ts';

export interface Pause {
  /** With the figures: for members of the project. */
  readonly reason: string;
  readonly since: Date;
}

/** The paused projects by name. */
export async function pausedProjects(store: Store): Promise<ReadonlyMap<string, Pause>> {
  const rows = await store.selectFrom('paused_projects').selectAll().execute();
  return new Map(rows.map(({ project, reason, since }) => [project, { reason, since }]));
}
