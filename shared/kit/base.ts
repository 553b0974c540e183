// What a process needs that serves no API of its own: without the HTTP framework, token verification and metrics, which cost
// 25 MiB of memory to load.
export { backoff } from './backoff.ts';
export { type Clock, httpTime, isoTime, systemClock } from './clock.ts';
export { configTypes, defineConfig, loadConfig } from './config.ts';
export { fingerprint } from './fingerprint.ts';
export { type Client, createClient, lines } from './http/client.ts';
export { nodeHttp } from './http/node-http.ts';
export { createHttpTransport, type Transport, type TransportAnswer, type TransportRequest } from './http/transport.ts';
export { newId } from './id.ts';
export { createLogger, type Logger } from './logger.ts';
export type { Readiness } from './service.ts';
export { createTicker, type Ticker } from './ticker.ts';
