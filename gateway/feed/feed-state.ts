import type { Route, RouteFrame } from '@skyrun/contracts';

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

type LongFrame = Exclude<RouteFrame, { kind: 'heartbeat' }>;

/** Puts a frame together that comes in parts. A connection begins with a new one. */
export class FrameParts {
  #parts: LongFrame[] = [];

  /** The whole frame with its last part; null while there is more. */
  take(part: RouteFrame): RouteFrame | null {
    if (part.kind === 'heartbeat') return part;
    this.#parts.push(part);
    if (part.more === true) return null;
    const parts = this.#parts;
    this.#parts = [];
    const { kind, epoch, version } = part;
    if (parts.length === 1) return part;
    if (kind === 'snapshot') return { kind, epoch, version, routes: parts.flatMap(routesOf) };
    const removes = parts.flatMap((each) => (each.kind === 'delta' ? each.removes : []));
    return { kind, epoch, version, upserts: parts.flatMap(routesOf), removes };
  }
}

function routesOf(part: LongFrame): readonly Route[] {
  return part.kind === 'snapshot' ? part.routes : part.upserts;
}
