/**
 * Loaded before a process's own code (`node --import ./observability/register.ts …`), so that no service knows
 * whether it is traced. Does nothing unless OTEL_EXPORTER_OTLP_ENDPOINT is set.
 */
import { loadConfig } from '@skyrun/kit';
import { tracingConfig } from './config.ts';
import { startTracing } from './tracing.ts';

startTracing(loadConfig(tracingConfig));
