import type { Permission } from '@skyrun/contracts';
import type { Authenticator, Caller } from '@skyrun/kit';
import { type LiveScope, roomOf, type Scope } from './coverage.ts';

/** What the feed knows of one connected client. */
export interface FeedSession {
  caller: Caller;
  /** By room. */
  readonly live: Map<string, LiveScope>;
  /** Messages that the transport has not taken yet. */
  backlog: number;
  /** Client messages are handled one after another. */
  turn: Promise<void>;
  waitingTurns: number;
  cancelExpiry: () => void;
}

export function permissionFor(scope: Scope): { permission: Permission; project: string | null } {
  return 'all' in scope
    ? { permission: 'admin', project: null }
    : { permission: 'services.read', project: scope.project };
}

export function mayHear(authenticator: Authenticator, caller: Caller, scope: Scope): Promise<boolean> {
  const { permission, project } = permissionFor(scope);
  return authenticator.can(caller, permission, project);
}

export function isLive(session: FeedSession, scope: Scope): boolean {
  return session.live.has(roomOf(scope));
}
