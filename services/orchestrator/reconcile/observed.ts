import type { Container, InstanceRecord, RevisionVerdict } from './records.ts';

export interface ObservedInstance {
  readonly record: InstanceRecord;
  readonly container: Container;
  /** A step of it is being executed: it counts, and gets no other. */
  readonly busy: boolean;
  readonly probing: boolean;
  /** It is asked whether it is still well. */
  readonly watched: boolean;
  /** Being resumed or started again. */
  readonly rising: boolean;
  /** Requests in flight as gateways last said; null when they did not. */
  readonly inFlight: number | null;
}

export interface Observed {
  /** Instances that are not over. */
  readonly instances: readonly ObservedInstance[];
  /** Containers of ours that no such instance owns. */
  readonly strays: readonly { readonly instanceId: string; readonly revisionId: string; readonly running: boolean }[];
  readonly verdicts: Pick<ReadonlyMap<string, RevisionVerdict>, 'get'>;
}
