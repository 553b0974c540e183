import { configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

export const tracingConfig = defineConfig('observability', {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: z.url().optional(),
    doc: 'where spans are sent by OTLP over HTTP, e.g. http://jaeger:4318; without it nothing is traced',
  },
  OTEL_SERVICE_NAME: { schema: configTypes.text, default: 'skyrun', doc: 'name of the process in traces' },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce.number().min(0).max(1),
    default: '0.1',
    doc: 'share of new traces that are kept, 0 to 1; a trace that comes in sampled stays so',
  },
});
