import type { Redis } from 'ioredis';
import { parseInfo, parseRead, type StreamEntry } from './replies.ts';

export interface GroupReaderOptions {
  /** Used for nothing else while the reader is. */
  readonly connection: Redis;
  readonly group: string;
  /** The name that deliveries are given to. */
  readonly consumer: string;
  /** Of an ordered group: only while `key` holds `holder` may be read what nobody was given yet. */
  readonly fence: { readonly key: string; readonly holder: string } | null;
}

interface FreshOptions {
  readonly handled?: readonly string[];
  readonly wait?: { readonly last: string; readonly ms: number };
}

/**
 * Reads for one consumer of a group. Everything that goes with a read travels in one packet, and so do the answers.
 *
 * An ordered group's read is fenced: on a network that held it up it may arrive when somebody else is active, and what it took
 * then would reach nobody. The lease is watched, found to be ours, and read in a transaction, which Redis refuses when the
 * lease was touched or ran out in between. Watching for the next read travels with the read. A script could do the same, but
 * Redis would turn every entry into a Lua table and back, which costs more than reading it.
 */
export class GroupReader {
  readonly #options: GroupReaderOptions;
  #watching = false;

  constructor(options: GroupReaderOptions) {
    this.#options = options;
  }

  /**
   * What nobody was given yet; the `handled` entries of that stream are acknowledged first.
   * @param wait until there is something behind `last`, or `ms` are over: Redis serves what follows in the packet after that. A
   *   group that is not fenced waits for what nobody was given, because what is behind `last` may be another consumer's.
   * @throws where the lease is somebody else's; what was handled may or may not be acknowledged then
   */
  async fresh(stream: string, count: number, { handled = [], wait }: FreshOptions = {}): Promise<StreamEntry[]> {
    const { connection, group, consumer, fence } = this.#options;
    if (fence && !this.#watching)
      check(await connection.pipeline().watch(fence.key).get(fence.key).exec(), fence.holder);
    for (let first = true; ; first = false) {
      const step = connection.pipeline();
      if (first && handled.length > 0) step.xack(stream, group, ...handled);
      if (fence && first && wait) step.xread('COUNT', 1, 'BLOCK', wait.ms, 'STREAMS', stream, wait.last);
      // Through `call`, for a pipeline's own `multi` would wrap all of it.
      if (fence) step.call('MULTI');
      const from = ['GROUP', group, consumer, 'COUNT', count] as const;
      if (wait && !fence) step.xreadgroup(...from, 'BLOCK', wait.ms, 'STREAMS', stream, '>');
      else step.xreadgroup(...from, 'STREAMS', stream, '>');
      if (fence) step.call('EXEC').watch(fence.key).get(fence.key);
      this.#watching = false;
      const replies = await step.exec();
      if (!fence) return parseRead(check(replies).at(-1));
      const [executed] = check(replies, fence.holder).slice(-3);
      this.#watching = true;
      // Null: the lease was touched, by our own renewal if it is still ours.
      if (Array.isArray(executed)) return parseRead(executed[0]);
    }
  }

  /** What was delivered under this name before and never settled. */
  async unsettled(stream: string, count: number, after: string): Promise<StreamEntry[]> {
    const { connection, group, consumer } = this.#options;
    return parseRead(await connection.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, after));
  }

  /** Where the group stands, for waiting for what comes behind. */
  async lastDelivered(stream: string): Promise<string> {
    const groups = parseInfo(await this.#options.connection.xinfo('GROUPS', stream));
    return groups.find((info) => info.get('name') === this.#options.group)?.get('last-delivered-id') ?? '0-0';
  }
}

/** @throws where a command failed, or the last one, which asks for the holder of the lease, finds somebody else */
function check(replies: readonly (readonly [Error | null, unknown])[] | null, holder?: string): unknown[] {
  const values = (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  if (holder !== undefined && values.at(-1) !== holder) throw new Error('the lease of the group is not ours');
  return values;
}
