import type { RandomHex } from '../pipeline/ids.ts';
import type { RequestHead } from '../pipeline/request-head.ts';
import type { RequestOrigin } from '../pipeline/request-origin.ts';
import { RequestRecord, type SpanIds } from './request-record.ts';

/** Who wants to know of requests. */
export interface Observer {
  /** Of a trace that begins now: '01' where its spans are kept. */
  flags(): '00' | '01';
  /** Gives the request a record where somebody wants one. */
  begin(head: RequestHead, origin: RequestOrigin, now: number): void;
}

export interface ObserverOptions {
  readonly random: RandomHex;
  /** Null: nothing is traced. */
  readonly traces: {
    /** Share of the traces that begin here which are kept, 0 to 1. A trace that comes in goes on as it came. */
    readonly ratio: number;
    add(record: RequestRecord): void;
  } | null;
  /** Null: no access log. */
  readonly log: { add(record: RequestRecord): void } | null;
}

/**
 * Decides at the head of a request whether it is traced, and gives it a record if so, or if there is an access log. A
 * request that nobody wants to know of costs one look at its flags and allocates nothing here.
 *
 * Null where nobody wants to know of any.
 */
export function createObserver({ random, traces, log }: ObserverOptions): Observer | null {
  if (traces === null && log === null) return null;
  const ratio = traces?.ratio ?? 0;
  const onEnd = (record: RequestRecord) => {
    if (record.ids !== null) traces?.add(record);
    log?.add(record);
  };
  return {
    // With nobody to trace here, whether instances trace is theirs to say, as it is without an observer.
    flags: () => (traces === null || Math.random() < ratio ? '01' : '00'),
    begin(head, origin, now) {
      const traced = traces !== null && isSampled(head.traceparent);
      if (!traced && log === null) return;
      const ids = traced ? spanIds(head, random) : null;
      if (ids !== null) head.traceparent = `00-${ids.trace}-${ids.upstream}-${head.traceparent.slice(53)}`;
      head.record = new RequestRecord({ head, origin, now, ids, onEnd });
    },
  };
}

/** The lowest bit of the last digit (W3C Trace Context §3.2.2.5); a letter's code has it turned round. */
function isSampled(traceparent: string): boolean {
  const code = traceparent.charCodeAt(54);
  return ((code < 0x40 ? code : code + 1) & 1) === 1;
}

function spanIds(head: RequestHead, random: RandomHex): SpanIds {
  const { traceparent, fields } = head;
  const begins = fields.traceparent === '';
  return {
    trace: traceparent.slice(3, 35),
    parent: begins ? '' : traceparent.slice(36, 52),
    server: begins ? traceparent.slice(36, 52) : random.take(16),
    wait: random.take(16),
    upstream: random.take(16),
  };
}
