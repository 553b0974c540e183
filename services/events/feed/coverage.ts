/** What a socket gets: one project's events or all. */
export type Scope = { readonly project: string } | { readonly all: true };

/** A subscription that is live: the room delivers everything after `from`. */
export interface LiveScope {
  readonly scope: Scope;
  readonly from: bigint;
}

export function roomOf(scope: Scope): string {
  return 'all' in scope ? 'all' : `project:${scope.project}`;
}

/** The rooms that get an event. socket.io sends once to a socket that is in several. */
export function roomsFor(event: { readonly project?: string | undefined }): string[] {
  return event.project === undefined ? ['all'] : ['all', roomOf({ project: event.project })];
}

export function projectOf(scope: Scope): string | null {
  return 'all' in scope ? null : scope.project;
}

/**
 * Whether an event that is due in a catch-up was sent already by another live subscription of the same socket,
 * e.g. by `all` when a project is subscribed to as well.
 */
export function alreadySent(
  live: readonly LiveScope[],
  { position, project }: { readonly position: bigint; readonly project: string | undefined },
): boolean {
  return live.some(
    ({ scope, from }) => from < position && ('all' in scope || (project !== undefined && scope.project === project)),
  );
}
