/** Every key of the bus. */
export interface Keys {
  /** Stream of all events; one field `e`, the event as JSON. */
  readonly events: string;
  /** Hash: group → `ordered` or `shared`. */
  readonly groups: string;
  /** Stream of events handed to one group again. */
  replay(group: string): string;
  /** Stream of a group's dead letters; fields `e`, `error`, `attempts`, `deadAt`. */
  dead(group: string): string;
  /** String: which consumer of an ordered group is active. */
  lease(group: string): string;
}

export function keysOf(namespace: string): Keys {
  return {
    events: `${namespace}:events`,
    groups: `${namespace}:groups`,
    replay: (group) => `${namespace}:replay:${group}`,
    dead: (group) => `${namespace}:dead:${group}`,
    lease: (group) => `${namespace}:lease:${group}`,
  };
}
