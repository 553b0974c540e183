import type { Clock, Logger } from '@skyrun/kit';

export interface LooksOptions {
  /** Asks the engine about one instance, or about all, and takes over what it says. */
  look(instanceId: string | null): Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  background(task: Promise<void>): void;
}

export interface Looks {
  /** Something happened to an instance, or, without an id, anything may have: it is looked at soon. */
  news(instanceId: string | null): void;
  /** Looks at all of them now. Rejects where the engine does not answer. */
  atAll(): Promise<void>;
}

const AGAIN_MS = 500;

/**
 * Looks at what there is news of: at one instance one look at a time, at different ones beside each other, so that one of
 * which the engine says nothing holds up no other.
 */
export function createLooks({ look, clock, logger, signal, background }: LooksOptions): Looks {
  /** What is being looked at, and whether there was news of it meanwhile. */
  const looking = new Map<string | null, { again: boolean }>();
  /** For each look at all of them: of whom there was news meanwhile. The list may be older than that. */
  const meanwhile = new Set<Set<string>>();

  async function atAll(): Promise<void> {
    const late = new Set<string>();
    meanwhile.add(late);
    try {
      await look(null);
    } finally {
      meanwhile.delete(late);
    }
    for (const instanceId of late) begin(instanceId);
  }

  async function untilAnswered(instanceId: string | null): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await (instanceId === null ? atAll() : look(instanceId));
        return;
      } catch (error) {
        logger.warn({ error, instanceId }, 'the container engine could not be asked');
        // One instance is looked at again with all others; after a reconnection all must be seen.
        if (instanceId !== null && attempt > 0) return;
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  function begin(instanceId: string | null): void {
    const current = looking.get(instanceId);
    if (current) {
      current.again = true;
      return;
    }
    const state = { again: false };
    looking.set(instanceId, state);
    background(
      untilAnswered(instanceId).finally(() => {
        looking.delete(instanceId);
        if (state.again && !signal.aborted) begin(instanceId);
      }),
    );
  }

  return {
    atAll,
    news(instanceId) {
      if (instanceId !== null) for (const late of meanwhile) late.add(instanceId);
      begin(instanceId);
    },
  };
}
