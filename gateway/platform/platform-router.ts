import { PLATFORM_SERVICES, type PlatformService } from '@skyrun/contracts';
import { problemAnswer } from '../pipeline/answer.ts';
import type { Decision } from '../pipeline/core.ts';
import { Destination, Instance } from '../pipeline/destination.ts';
import type { RequestHead } from '../pipeline/request-head.ts';
import { createPlatformPaths } from '../routing/platform-paths.ts';
import type { RoomBounds } from '../waiting/waiting-room.ts';
import { API_PLACES } from './api-places.ts';
import type { Assets } from './assets.ts';

export type PlatformUrls = Readonly<Record<PlatformService, string>>;

/** Requests of the platform's own host: the API's owners, the live feed, and the web page. */
export class PlatformRouter {
  #paths = createPlatformPaths(API_PLACES);
  #services: ReadonlyMap<PlatformService, Destination>;
  #assets: Assets;

  constructor(options: { urls: PlatformUrls; assets: Assets; roomBounds: RoomBounds; now: () => number }) {
    const { urls, assets, roomBounds, now } = options;
    this.#assets = assets;
    this.#services = new Map(
      PLATFORM_SERVICES.map((name) => [name, platformDestination(name, urls[name], { roomBounds, now })]),
    );
  }

  destinations(): Iterable<Destination> {
    return this.#services.values();
  }

  decide(head: RequestHead): Decision {
    const { target } = head.line;
    const query = target.indexOf('?');
    const place = this.#paths(query === -1 ? target : target.slice(0, query));
    if (place.kind === 'assets') return { kind: 'answer', answer: this.#assets.answer(head) };
    const destination = place.kind === 'service' ? this.#services.get(place.service) : undefined;
    if (destination === undefined) {
      return {
        kind: 'answer',
        answer: problemAnswer('resource.not_found', { detail: 'There is no such path in the API.' }),
      };
    }
    return destination.decision;
  }
}

function platformDestination(
  name: PlatformService,
  address: string,
  options: { roomBounds: RoomBounds; now: () => number },
): Destination {
  const url = new URL(address);
  const destination = new Destination({
    name,
    revision: null,
    containerConcurrency: 0,
    // Uploads, logs and the live feed take as long as they take.
    timeoutMs: 0,
    ...options,
  });
  const port = url.port === '' ? 80 : Number(url.port);
  destination.instances = [new Instance({ id: name, address: url.hostname, port, revision: null, now: options.now() })];
  return destination;
}
