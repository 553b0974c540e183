import { type Route, type RouteFrame, route } from '@skyrun/contracts';
import { z } from 'zod';

/** All routes as of one version of the registry; also what stands on disk. */
export const routeSnapshot = z.object({ epoch: z.string(), version: z.int(), routes: z.array(route) });

export type RouteChange =
  | { readonly kind: 'replace'; readonly routes: readonly Route[] }
  | { readonly kind: 'change'; readonly upserts: readonly Route[]; readonly removes: readonly string[] }
  | { readonly kind: 'none' }
  /** A frame that does not follow on what we have: ask for everything again. */
  | { readonly kind: 'resync' };

export interface FeedPosition {
  readonly epoch: string;
  readonly version: number;
}

/** What a frame means for someone who stands at `position` (null: who has nothing). */
export function follow(
  position: FeedPosition | null,
  frame: RouteFrame,
): { position: FeedPosition | null; change: RouteChange } {
  const next = { epoch: frame.epoch, version: frame.version };
  if (frame.kind === 'snapshot') return { position: next, change: { kind: 'replace', routes: frame.routes } };
  if (position === null || position.epoch !== frame.epoch) return { position: null, change: { kind: 'resync' } };
  if (frame.kind === 'heartbeat') {
    // The registry is ahead although it sent us nothing: something was missed.
    if (frame.version > position.version) return { position: null, change: { kind: 'resync' } };
    return { position, change: { kind: 'none' } };
  }
  if (frame.version <= position.version) return { position, change: { kind: 'none' } };
  return { position: next, change: { kind: 'change', upserts: frame.upserts, removes: frame.removes } };
}
