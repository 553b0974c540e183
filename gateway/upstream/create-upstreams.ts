import type { RouteTarget } from '@skyrun/contracts';
import type { Upstreams } from './carrier.ts';
import { H2cUpstreams } from './h2c-upstreams.ts';
import { PlainUpstreams } from './plain-upstreams.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** The ways to an instance whose port is named so. */
export function createUpstreams(protocol: RouteTarget['protocol'], place: Place): Upstreams {
  return protocol === 'h2c' ? new H2cUpstreams(place) : new PlainUpstreams(place);
}
