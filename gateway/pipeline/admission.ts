import type { CallCount } from '../calls/call-book.ts';

/** What goes with a request that was let in. */
export interface Admission {
  /** Fields for its response, each with CR LF. */
  readonly responseFields: string;
  readonly bounds: RequestBounds | null;
  /** The signature of the caller's token is taken away: an instance must not be able to use it elsewhere. */
  readonly hidesToken: boolean;
  /** Says itself which pages may read responses: what the instance says of it is left out. */
  readonly decidesCors: boolean;
  /** Where its end is counted; null where no team service is known to call. */
  readonly call: CallCount | null;
}

/** Bounds of one request, in bytes and ms; 0 is none. */
export interface RequestBounds {
  readonly maxRequestBytes: number | null;
  readonly firstByteMs: number;
  readonly idleMs: number;
}
