export { tracingConfig } from './config.ts';
export { startTracing } from './tracing.ts';
