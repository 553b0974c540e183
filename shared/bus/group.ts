import { type TypeSet, typeSet } from '@skyrun/contracts';
import { BusError } from './errors.ts';
import type { SubscribeOptions } from './event-bus.ts';

export interface Group {
  readonly name: string;
  readonly types: TypeSet;
  readonly ordered: boolean;
  /** As this consumer wants it; another one of the group may want lanes. */
  readonly sideBySide: boolean;
}

export const DEFAULT_PREFETCH = 64;

/** @throws BusError `bus.bad_group`, InvalidEventError `unknown_type` */
export function parseGroup({
  group,
  types,
  ordered = true,
  sideBySide = false,
}: Pick<SubscribeOptions, 'group' | 'types' | 'ordered' | 'sideBySide'>): Group {
  assertGroupName(group);
  if (types.length === 0) throw new BusError('bus.bad_group', `group ${group} asks for no event type`);
  if (sideBySide && ordered) {
    throw new BusError('bus.bad_group', `group ${group}: sideBySide gives up the order; it needs ordered: false`);
  }
  return { name: group, types: typeSet(types), ordered, sideBySide };
}

export function assertGroupName(group: string): void {
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(group)) {
    throw new BusError('bus.bad_group', `group ${JSON.stringify(group)}: expected a-z, 0-9, "." and "-", 100 at most`);
  }
}
