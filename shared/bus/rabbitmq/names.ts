/** Everything the bus creates on the broker. */
export interface Names {
  /** Topic exchange; the routing key is the event type. */
  readonly exchange: string;
  /** Quorum queue of a group. */
  queue(group: string): string;
  /** Quorum queue of a group's dead letters. */
  dead(group: string): string;
}

export function namesOf(namespace: string): Names {
  return {
    exchange: `${namespace}.events`,
    queue: (group) => `${namespace}.group.${group}`,
    dead: (group) => `${namespace}.dead.${group}`,
  };
}

/** Headers of a dead letter. */
export const LETTER_HEADERS = {
  error: 'x-skyrun-error',
  attempts: 'x-skyrun-attempts',
  deadAt: 'x-skyrun-dead-at',
} as const;
