import type { StartPhases } from '@skyrun/contracts';
import { recordSpan } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';

/** The request for which an instance is started: the one that has waited longest. */
export interface WaitingRequest {
  /** Unix milliseconds. */
  readonly since: number;
  /** Of its trace, where a gateway told of it. */
  readonly traceparent?: string | undefined;
}

/** Each is `undefined` where the start is not traced. */
interface Traced {
  readonly traceparent: string | undefined;
  readonly traceId: string | undefined;
}

/**
 * The start as a span of the trace of the request that waited for it, and its phases as spans of that, told when the
 * instance takes requests. A start that no request waited for is a trace of its own.
 */
export function traceStart(
  record: InstanceRecord,
  phases: StartPhases,
  { waiting, readyAt }: { readonly waiting: WaitingRequest | null; readonly readyAt: number },
  tell: typeof recordSpan = recordSpan,
): Traced {
  const { queueMs = 0, createMs, startMs, probeMs, kind = 'created' } = phases;
  const from = readyAt - queueMs - createMs - startMs - probeMs;
  const traceparent = tell({
    name: 'instance start',
    parent: waiting?.traceparent,
    from,
    until: readyAt,
    attributes: {
      'skyrun.project': record.project,
      'skyrun.service': record.service,
      'skyrun.revision': record.revisionName,
      'skyrun.instance': record.instanceId,
      'skyrun.start.kind': kind,
    },
  });
  if (traceparent === undefined) return { traceparent, traceId: undefined };
  let at = from;
  const parts: readonly (readonly [name: string, ms: number])[] = [
    ['queue', queueMs],
    ['create', createMs],
    [kind === 'resumed' ? 'resume' : 'start', startMs],
    ['probe', probeMs],
  ];
  for (const [name, ms] of parts) {
    if (ms > 0) tell({ name, parent: traceparent, from: at, until: at + ms });
    at += ms;
  }
  return { traceparent, traceId: traceparent.split('-')[1] };
}

/** The last phase, told later, by the gateway that saw it. */
export function traceFirstByte(start: { traceparent: string; readyAt: number }, firstByteMs: number): void {
  const { traceparent: parent, readyAt: from } = start;
  recordSpan({ name: 'first byte', parent, from, until: from + firstByteMs });
}
