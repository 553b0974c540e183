/**
 * Work that comes by itself. A job looks for items (projects, mostly) at its interval, and each is done on its own: one
 * that fails is tried again and does not hold up the others. Doing an item twice, or by two replicas at once, does no
 * harm: the use cases see to that in the database.
 */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  items(): Promise<readonly string[]>;
  run(item: string, signal: AbortSignal): Promise<void>;
}

export interface JobRunner {
  start(): void;
  /** Resolves when the items in work are done. May be called before start, and twice. */
  stop(): Promise<void>;
}
