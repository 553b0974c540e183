import type { EventEnvelope } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useApi } from '../api/context.ts';
import { CacheFeed } from './apply.ts';
import { type FeedState, openLiveFeed } from './feed.ts';

type Listener = (event: EventEnvelope) => void;

interface Live {
  readonly state: FeedState;
  readonly listeners: Set<Listener>;
}

const LiveContext = createContext<Live | null>(null);

/** Keeps the caches of one project live, and hands its events to whoever listens. */
export function LiveProvider({ project, children }: { project: string; children: ReactNode }) {
  const api = useApi();
  const queries = useQueryClient();
  const [state, setState] = useState<FeedState>('connecting');
  const listeners = useRef(new Set<Listener>()).current;

  useEffect(() => {
    const caches = new CacheFeed(queries);
    const feed = openLiveFeed({
      project,
      token: () => api.token(),
      onEnvelope: (event) => {
        for (const listener of listeners) listener(event);
      },
      onEvent: (event) => caches.apply(project, event),
      onState: setState,
      onResumed: () => caches.refetchAll(project),
    });
    return () => {
      feed.close();
      caches.stop();
    };
  }, [api, queries, project, listeners]);

  const live = useMemo(() => ({ state, listeners }), [state, listeners]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new TypeError('no LiveProvider above this component');
  return live;
}

export const useFeedState = (): FeedState => useLive().state;

/** Calls `listener` with every event of the current project while the component is shown. */
export function useLiveEvents(listener: Listener): void {
  const { listeners } = useLive();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const forward: Listener = (event) => latest.current(event);
    listeners.add(forward);
    return () => {
      listeners.delete(forward);
    };
  }, [listeners]);
}
