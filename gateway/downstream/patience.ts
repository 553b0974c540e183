import type { GatewayCore } from '../pipeline/core.ts';

/** What is read and thrown away after an answer that ends the connection, so that the answer is not lost to a reset. */
export const LINGER_BYTES = 1_048_576;
const LINGER_MS = 2000;

/** Where a client's connection stands. */
export type ClientState = 'head' | 'body' | 'busy' | 'tunnel' | 'linger';

/** A client's connection, as far as its silence is judged. Ten times a second, of thousands: so nothing is copied out of it. */
export interface ClientQuiet {
  readonly state: ClientState;
  /** Part of a head was read. */
  readonly headBegun: boolean;
  /** Of that head's first byte, in monotonic ms. */
  readonly headSince: number;
  /** Of the last byte read, or the last change of state, in monotonic ms. */
  readonly activeAt: number;
  /** The client is not read, because who should take its body does not. */
  readonly paused: boolean;
  /** Nothing waits to be taken by the client. */
  readonly flushed: boolean;
}

/** What a client's silence leads to: a refusal of its head or body, the rest or the end of an idle connection, or the cut. */
export function lostPatience(
  client: ClientQuiet,
  { limits, draining }: Pick<GatewayCore, 'limits' | 'draining'>,
  now: number,
): 'head' | 'body' | 'rest' | 'end' | 'cut' | null {
  const quietMs = now - client.activeAt;
  switch (client.state) {
    case 'head':
      if (client.headBegun) return now - client.headSince > limits.headerMs ? 'head' : null;
      if (quietMs > (draining ? Math.min(limits.drainIdleMs, limits.idleMs) : limits.idleMs)) return 'end';
      return quietMs > limits.restMs ? 'rest' : null;
    case 'body':
      return quietMs > limits.stallMs && !client.paused ? 'body' : null;
    case 'linger':
      return quietMs > LINGER_MS && client.flushed ? 'cut' : null;
    default:
      return null;
  }
}
