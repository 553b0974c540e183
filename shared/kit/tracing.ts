import type { IncomingHttpHeaders } from 'node:http';
import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Spans through the OpenTelemetry API. Without an SDK (see observability/) every call here is a no-op, so nothing
 * asks whether tracing is on.
 */
const tracer = trace.getTracer('skyrun');

/** Runs `fn` inside a server span that goes on with the caller's trace. An error marks the span and is thrown on. */
export function inServerSpan<Result>(
  name: string,
  headers: IncomingHttpHeaders,
  fn: (span: Span) => Promise<Result>,
): Promise<Result> {
  const parent = propagation.extract(context.active(), headers);
  return tracer.startActiveSpan(name, { kind: SpanKind.SERVER }, parent, (span) => finish(span, fn));
}

/** Runs `fn` inside a span of the active trace. */
export function inSpan<Result>(name: string, fn: (span: Span) => Promise<Result>): Promise<Result> {
  return tracer.startActiveSpan(name, (span) => finish(span, fn));
}

/** Runs a consumer inside a span that goes on with the trace of the event, where it has one. */
export function inConsumerSpan<Result>(
  name: string,
  traceparent: string | undefined,
  fn: (span: Span) => Promise<Result>,
): Promise<Result> {
  const parent = traceparent === undefined ? context.active() : propagation.extract(context.active(), { traceparent });
  return tracer.startActiveSpan(name, { kind: SpanKind.CONSUMER }, parent, (span) => finish(span, fn));
}

export interface PastSpan {
  readonly name: string;
  /** Of the span that it belongs to; absent where it begins a trace. */
  readonly parent: string | undefined;
  /** Unix milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** Tells of work that is over already. Answers its `traceparent`, for what belongs to it; undefined when nobody traces. */
export function recordSpan({ name, parent, from, until, attributes = {} }: PastSpan): string | undefined {
  const under = parent === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent: parent });
  const span = tracer.startSpan(name, { startTime: from, attributes: { ...attributes } }, under);
  span.end(Math.max(from, until));
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return carrier['traceparent'];
}

async function finish<Result>(span: Span, fn: (span: Span) => Promise<Result>): Promise<Result> {
  try {
    return await fn(span);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    throw error;
  } finally {
    span.end();
  }
}

/** Headers that carry the active trace on; empty without one. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** The W3C `traceparent` of the active span, for events. */
export function currentTraceparent(): string | undefined {
  return traceHeaders()['traceparent'];
}
