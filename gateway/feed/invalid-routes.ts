import { type GatewayView, type Route, VIEW_INVALID_ROUTES } from '@skyrun/contracts';
import type { Logger } from '@skyrun/kit/base';
import type { FeedPosition, RouteChange } from './feed-state.ts';
import { formerWith, type InvalidRoute } from './read-route.ts';

const REMEDY = "deploy the service with a valid one, or bring this gateway to the registry's version";

/** How many of one change are named one by one in the log. */
const NAMED = 20;

type Listed = GatewayView['invalidRoutes'][number];

/** The routes that could not be taken as they were sent, until they can be or are gone. */
export class InvalidRoutes {
  readonly #logger: Pick<Logger, 'error'>;
  /** By host; those without one are one. */
  #listed = new Map<string | null, Listed>();

  constructor(logger: Pick<Logger, 'error'>) {
    this.#logger = logger;
  }

  get count(): number {
    return this.#listed.size;
  }

  /** Of these, how many hosts have a route all the same. */
  get serving(): number {
    let serving = 0;
    for (const { serves } of this.#listed.values()) if (serves) serving += 1;
    return serving;
  }

  /** Some of them. */
  list(): Listed[] {
    return [...this.#listed.values()].slice(0, VIEW_INVALID_ROUTES);
  }

  /** The change as it can be carried out: where a route is invalid, what was there goes on as far as it can. */
  settle(
    change: RouteChange,
    invalid: readonly InvalidRoute[],
    former: (host: string) => Route | undefined,
  ): RouteChange {
    if (change.kind !== 'replace' && change.kind !== 'change') return change;
    if (invalid.length === 0 && this.#listed.size === 0) return change;
    const valid = change.kind === 'replace' ? change.routes : change.upserts;
    const before = this.#listed;
    this.#listed = change.kind === 'replace' ? new Map() : new Map(before);
    if (change.kind === 'change') {
      for (const { host } of valid) this.#listed.delete(host);
      for (const host of change.removes) this.#listed.delete(host);
    }
    const hosts = new Set(valid.map(({ host }) => host));
    const kept = new Map<string, Route>();
    for (const { sent, ...named } of invalid) {
      const { host } = named;
      if (host !== null && hosts.has(host)) continue;
      const old = host === null ? undefined : former(host);
      const goesOn = old === undefined ? null : formerWith(old, sent);
      if (host !== null && goesOn !== null) kept.set(host, goesOn);
      this.#listed.set(host, { ...named, serves: goesOn !== null });
    }
    this.#tell(before);
    if (change.kind === 'replace') return { ...change, routes: [...valid, ...kept.values()] };
    // A host that is another service's by now has no route until that one's can be read.
    const gone = invalid.flatMap(({ host }) => (host === null || kept.has(host) || hosts.has(host) ? [] : [host]));
    return { ...change, upserts: [...valid, ...kept.values()], removes: [...change.removes, ...gone] };
  }

  /**
   * What the disk is told. With routes left out it is a position that the registry does not know, so that the next start,
   * which may be of a version that can read them, is sent everything.
   */
  position(at: FeedPosition): FeedPosition {
    return this.#listed.size === 0 ? at : { epoch: 'incomplete', version: at.version };
  }

  #tell(before: ReadonlyMap<string | null, Listed>): void {
    const news = [...this.#listed.values()].filter((each) => !sameProblem(before.get(each.host), each));
    for (const { host, project, service, field, problem, serves } of news.slice(0, NAMED)) {
      this.#logger.error(
        { host, project, service, field, problem },
        `a route is not valid and ${serves ? 'stays as it was' : 'is left out'}: ${field} ${problem}; ${REMEDY}`,
      );
    }
    if (news.length > NAMED) this.#logger.error({ routes: news.length - NAMED }, 'more routes are not valid');
  }
}

function sameProblem(one: Listed | undefined, other: Listed): boolean {
  return one?.field === other.field && one.problem === other.problem && one.serves === other.serves;
}
