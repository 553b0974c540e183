import type { GatewayLimits } from './core.ts';

/** What is read and thrown away after an answer that ends the connection, so that the answer is not lost to a reset. */
export const LINGER_BYTES = 1_048_576;
const LINGER_MS = 2000;

/** Where a client's connection stands. */
export type ClientState = 'head' | 'body' | 'busy' | 'tunnel' | 'linger';

export interface ClientQuiet {
  readonly state: ClientState;
  /** Part of a head was read. */
  readonly headBegun: boolean;
  /** Since that head's first byte, in ms. */
  readonly headMs: number;
  /** Since the last byte read, or the last change of state, in ms. */
  readonly quietMs: number;
  /** The client is not read, because who should take its body does not. */
  readonly paused: boolean;
  /** Nothing waits to be taken by the client. */
  readonly flushed: boolean;
  /** The gateway was told to stop. */
  readonly draining: boolean;
}

/** What a client's silence leads to: a refusal of its head or body, the end of an idle connection, or the cut. */
export function lostPatience(client: ClientQuiet, limits: GatewayLimits): 'head' | 'body' | 'end' | 'cut' | null {
  switch (client.state) {
    case 'head':
      if (client.headBegun) return client.headMs > limits.headerMs ? 'head' : null;
      return client.quietMs > (client.draining ? Math.min(limits.drainIdleMs, limits.idleMs) : limits.idleMs)
        ? 'end'
        : null;
    case 'body':
      return client.quietMs > limits.stallMs && !client.paused ? 'body' : null;
    case 'linger':
      return client.quietMs > LINGER_MS && client.flushed ? 'cut' : null;
    default:
      return null;
  }
}
