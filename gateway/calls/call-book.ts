import { LATENCY_BOUNDS_MS, type ObservedCalls } from '@skyrun/contracts';
import { bucketOf } from '../report/traffic-window.ts';

/** Whom a request is for. */
export interface Called {
  readonly project: string;
  readonly kind: ObservedCalls['kind'];
  readonly name: string;
}

/** Pairs of caller and called that are counted at once; what comes beyond them counts as from outside. */
const MOST = 1_000;
/** Tellings without a request after which a pair makes room for another; what is still under way then is not counted. */
const FORGOTTEN_AFTER = 60;

/** Requests of one caller to one service since they were last told of. */
export class CallCount {
  readonly #caller: string;
  readonly #called: Called;
  #requests = 0;
  #errors = 0;
  #buckets = emptyBuckets();
  /** Tellings in a row without a request. */
  idle = 0;

  constructor(caller: string, called: Called) {
    this.#caller = caller;
    this.#called = called;
  }

  /** One has ended, `ms` after it came. */
  end(status: number, ms: number): void {
    this.#requests += 1;
    if (status >= 500) this.#errors += 1;
    const bucket = bucketOf(ms);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** Begins anew; null when there was none. */
  take(): ObservedCalls | null {
    if (this.#requests === 0) {
      this.idle += 1;
      return null;
    }
    this.idle = 0;
    const { project, kind, name } = this.#called;
    const taken = {
      project,
      from: this.#caller,
      kind,
      to: name,
      requests: this.#requests,
      errors: this.#errors,
      latencyBuckets: this.#buckets,
    };
    this.#requests = 0;
    this.#errors = 0;
    this.#buckets = emptyBuckets();
    return taken;
  }
}

/** Who calls whom within a project, by the name of the API key that is sent. */
export class CallBook {
  readonly #counts = new Map<string, CallCount>();

  /** Null where the key is not of the project: then nobody there is known to call. */
  of(key: { readonly name: string; readonly project: string } | null, called: Called): CallCount | null {
    if (key === null || key.name === '' || key.project !== called.project) return null;
    const pair = `${called.project} ${key.name} ${called.kind} ${called.name}`;
    const known = this.#counts.get(pair);
    if (known !== undefined) return known;
    if (this.#counts.size >= MOST) return null;
    const count = new CallCount(key.name, called);
    this.#counts.set(pair, count);
    return count;
  }

  /** Everything since it was asked last. */
  take(): ObservedCalls[] {
    const taken: ObservedCalls[] = [];
    for (const [pair, count] of this.#counts) {
      const calls = count.take();
      if (calls !== null) taken.push(calls);
      else if (count.idle >= FORGOTTEN_AFTER) this.#counts.delete(pair);
    }
    return taken;
  }
}

function emptyBuckets(): number[] {
  return new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
}
