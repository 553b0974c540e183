import type { RateLimit } from '@skyrun/contracts';
import type { Buckets } from '../limit/buckets.ts';
import type { Rate, RateVerdict } from '../limit/gcra.ts';
import { isBelow } from './same-place.ts';

/**
 * One rate limit of a service, made ready to be asked for every request. What the request before had is kept, because
 * the next one mostly has the same: the name of its bucket, whose hash would have to be worked out, and the text of its fields.
 */
export class RequestLimit {
  readonly limit: RateLimit;
  readonly #rate: Rate;
  readonly #scope: string;
  readonly #buckets: Buckets;
  readonly #head: string;
  #who = '';
  #key: string;
  #left = -1;
  #seconds = -1;
  #fields = '';

  /** `scope`: of the service, or of the project where the limit is all its services'. */
  constructor(limit: RateLimit, options: { scope: string; buckets: Buckets }) {
    this.limit = limit;
    this.#rate = { emissionMs: (limit.windowSeconds * 1000) / limit.requests, burst: limit.burst ?? limit.requests };
    this.#scope = `${options.scope}:${limit.name}:`;
    this.#key = this.#scope;
    this.#buckets = options.buckets;
    const { name, requests, windowSeconds } = limit;
    this.#head = `RateLimit-Policy: "${name}";q=${requests};w=${windowSeconds}\r\nRateLimit: "${name}";r=`;
  }

  /** Whether the limit is about such requests. */
  covers(method: string, target: string): boolean {
    const { pathPrefix, methods } = this.limit;
    if (pathPrefix !== undefined && !isBelow(target, pathPrefix)) return false;
    return methods === undefined || methods.includes(method);
  }

  /** `now` is monotonic ms. */
  take(who: string, now: number): RateVerdict {
    if (who !== this.#who) {
      this.#who = who;
      this.#key = this.#scope + who;
    }
    return this.#buckets.take(this.#key, this.#rate, now);
  }

  /** Fields of draft-ietf-httpapi-ratelimit-headers: the policy, what is left of it, seconds until it is whole again. */
  fields(verdict: RateVerdict): string {
    const left = Math.min(this.limit.requests, verdict.remaining);
    const seconds = Math.ceil(verdict.resetMs / 1000);
    if (left !== this.#left || seconds !== this.#seconds) {
      this.#left = left;
      this.#seconds = seconds;
      this.#fields = `${this.#head}${left};t=${seconds}\r\n`;
    }
    return this.#fields;
  }
}
