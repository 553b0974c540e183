import type { User } from '@skyrun/contracts';
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { ApiClient } from './client.ts';
import type { Session, SessionState } from './session.ts';

export interface Connection {
  readonly api: ApiClient;
  readonly session: Session;
}

export const ConnectionContext = createContext<Connection | null>(null);

export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (connection === null) throw new TypeError('no ConnectionContext above this component');
  return connection;
}

export function useApi(): ApiClient {
  return useConnection().api;
}

export function useSessionState(): SessionState {
  const { session } = useConnection();
  return useSyncExternalStore(session.subscribe, session.state);
}

/** The signed-in person, or null. */
export function useUser(): User | null {
  const state = useSessionState();
  return state.kind === 'signed-in' ? state.user : null;
}
