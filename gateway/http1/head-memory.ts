/** A head that was read, byte for byte, and what it means. */
export interface KnownHead<M> {
  readonly bytes: Buffer;
  readonly meaning: M;
}

/**
 * The last head of several connections that mostly get the same ones: those of one client, or those to one instance. They share
 * what it means, so that a thousand connections keep it once, and the processor keeps it at hand.
 */
export class HeadMemory<M> {
  last: KnownHead<M> | null = null;
}
