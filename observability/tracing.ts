import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { ConfigOf } from '@skyrun/kit';
import type { tracingConfig } from './config.ts';

/** Registers the tracer of this process, or nothing without an endpoint. Spans are flushed when the process ends itself. */
export function startTracing(config: ConfigOf<typeof tracingConfig>): NodeTracerProvider | null {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return null;
  const provider = new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.OTEL_TRACES_SAMPLER_ARG) }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: new URL('/v1/traces', endpoint).href }), {
        scheduledDelayMillis: 1000,
      }),
    ],
  });
  provider.register();
  process.once('beforeExit', () => void provider.shutdown());
  return provider;
}
