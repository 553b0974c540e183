import type { RequestFields } from '../http1/request-fields.ts';
import type { RequestLine } from '../http1/request-line.ts';
import type { MeteredRevision } from '../meter/meter.ts';
import type { Overdue } from '../pipeline/overdue.ts';
import type { RequestOrigin } from '../pipeline/request-origin.ts';

/** Ids of the spans of one request, each hexadecimal. Made at its begin, because the instance is told of its own. */
export interface SpanIds {
  readonly trace: string;
  /** Of the caller; '' where the trace began here. */
  readonly parent: string;
  readonly server: string;
  readonly wait: string;
  /** Of the attempt that was answered: what the instance continues. */
  readonly upstream: string;
}

/** One try to have the request answered. Times are monotonic ms; -1: did not happen. */
export interface AttemptRecord {
  readonly instance: { readonly id: string; readonly address: string; readonly port: number };
  readonly assignedAt: number;
  /** False: the connection was there already. */
  readonly connects: boolean;
  connectedAt: number;
  answeredAt: number;
  endedAt: number;
  status: number;
  lost: boolean;
  /** The bound of time that ended it. */
  overdue: Overdue | null;
}

interface ObservedHead {
  readonly line: RequestLine;
  readonly fields: RequestFields;
  readonly requestId: string;
  readonly traceparent: string;
}

/**
 * What one request did, written down while it happens; made only where it is traced or the access log is on. Times are
 * monotonic ms; -1: did not happen.
 */
export class RequestRecord {
  readonly head: ObservedHead;
  readonly origin: RequestOrigin;
  readonly startedAt: number;
  /** Null: not traced. */
  readonly ids: SpanIds | null;
  readonly attempts: AttemptRecord[] = [];
  readonly waits: { readonly from: number; to: number }[] = [];
  /** Null where no tenant's revision was asked. */
  revision: MeteredRevision | null = null;
  endedAt = -1;
  /** Of the response; 499: the client left before there was one. */
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  #onEnd: (record: RequestRecord) => void;

  constructor(options: {
    head: ObservedHead;
    origin: RequestOrigin;
    now: number;
    ids: SpanIds | null;
    onEnd: (record: RequestRecord) => void;
  }) {
    this.head = options.head;
    this.origin = options.origin;
    this.startedAt = options.now;
    this.ids = options.ids;
    this.#onEnd = options.onEnd;
  }

  /** The trace as one may continue it who ends the waiting. */
  get waitParent(): string | undefined {
    return this.ids === null ? undefined : `00-${this.ids.trace}-${this.ids.wait}-01`;
  }

  beginWait(now: number): void {
    this.waits.push({ from: now, to: -1 });
  }

  assigned(instance: AttemptRecord['instance'], now: number, connected: boolean): void {
    this.#endWait(now);
    this.attempts.push({
      instance: { id: instance.id, address: instance.address, port: instance.port },
      assignedAt: now,
      connects: !connected,
      connectedAt: connected ? now : -1,
      answeredAt: -1,
      endedAt: -1,
      status: 0,
      lost: false,
      overdue: null,
    });
  }

  connected(now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined && attempt.connectedAt === -1) attempt.connectedAt = now;
  }

  /** The head of the response is here. */
  answered(now: number, status: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) return;
    attempt.answeredAt = now;
    attempt.status = status;
  }

  /** The instance failed, and the request is tried again. */
  lost(now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) return;
    attempt.endedAt = now;
    attempt.lost = true;
  }

  /** A bound of time is broken, which ends the attempt that runs. */
  overdue(bound: Overdue): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined && attempt.endedAt === -1) attempt.overdue = bound;
  }

  end(now: number, status: number, revision: MeteredRevision | null): void {
    if (this.endedAt !== -1) return;
    this.#endWait(now);
    this.endedAt = now;
    this.status = status;
    this.revision = revision;
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined && attempt.endedAt === -1) attempt.endedAt = now;
    this.#onEnd(this);
  }

  /** For how long it waited for an instance, in ms. */
  get waitedMs(): number {
    let total = 0;
    for (const { from, to } of this.waits) total += to - from;
    return total;
  }

  #endWait(now: number): void {
    const wait = this.waits.at(-1);
    if (wait !== undefined && wait.to === -1) wait.to = now;
  }
}
