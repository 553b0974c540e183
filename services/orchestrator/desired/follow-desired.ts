import { isDeepStrictEqual } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';

export interface DesiredFollower {
  start(): void;
  stop(): Promise<void>;
  /** Ask now. */
  wake(): void;
  /** What the registry last said; null until it has. Silence of the registry changes nothing. */
  current(): ReadonlyMap<string, DesiredRevision> | null;
  /** Asks now and resolves with the answer taken over; what was created a moment ago is in it. */
  refresh(): Promise<void>;
  /** Whether the registry answered the last time it was asked. */
  answers(): boolean;
}

export interface DesiredOptions {
  readonly registry: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  onChange(): void;
}

const ASK_EVERY_MS = 1_000;

/** Keeps what should run at hand. Events wake it; were all of them lost, the tick would find every change. */
export function followDesired({ registry, clock, logger, onChange }: DesiredOptions): DesiredFollower {
  let desired: ReadonlyMap<string, DesiredRevision> | null = null;
  let etag: string | null = null;
  let answered = false;

  /** The object that is known already where it says the same: whoever compares sees at once what changed. */
  function unchanged(entry: DesiredRevision): DesiredRevision {
    const known = desired?.get(entry.revision.id);
    return known !== undefined && isDeepStrictEqual(known, entry) ? known : entry;
  }

  async function ask(signal: AbortSignal): Promise<void> {
    try {
      const headers = etag === null ? {} : { 'if-none-match': etag };
      const answer = await registry.send(OPERATIONS.getDesired, { headers, signal });
      if (!answered) logger.info('the registry answers');
      answered = true;
      if (!answer.body) return;
      etag = answer.headers.get('etag') ?? `"${answer.body.version}"`;
      desired = new Map(answer.body.revisions.map((entry) => [entry.revision.id, unchanged(entry)]));
    } catch (error) {
      if (signal.aborted) return;
      if (answered) logger.warn({ error }, 'the registry does not answer; what is known stays desired');
      answered = false;
      return;
    }
    onChange();
  }

  const ticker = createTicker({ name: 'orchestrator.desired', clock, logger, everyMs: ASK_EVERY_MS, run: ask });
  return {
    start: ticker.start,
    stop: ticker.stop,
    wake: ticker.wake,
    current: () => desired,
    refresh: () => ask(new AbortController().signal),
    answers: () => answered,
  };
}
