import { configTypes, defineConfig } from '@skyrun/kit/base';
import { z } from 'zod';

const milliseconds = z.coerce.number().int().min(1).max(86_400_000);

const connections = z.coerce.number().int().min(0).max(10_000_000);

/** `name=value` pairs, percent-encoded, as OpenTelemetry's exporters take them. */
function headerPairs(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(pairs);
}

/** What a gateway process reads from its environment. */
export const gatewayConfig = defineConfig('gateway', {
  SKYRUN_LOG_LEVEL: { schema: configTypes.logLevel, default: 'info', doc: 'debug, info, warn, error or silent' },
  SKYRUN_GATEWAY_ID: {
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and hyphens, at most 40'),
    default: 'gateway-1',
    doc: 'stable name of this gateway process; each has its own, and its own spool',
  },
  SKYRUN_LISTEN_HOST: { schema: configTypes.text, default: '127.0.0.1', doc: 'address that the process listens on' },
  SKYRUN_PORT: { schema: configTypes.port, default: '8080', doc: 'port of the gateway; 0 picks a free one' },
  SKYRUN_GATEWAY_REUSE_PORT: {
    schema: configTypes.flag,
    default: 'true',
    doc: 'several gateway processes listen on one port (SO_REUSEPORT, Linux)',
  },
  SKYRUN_GATEWAY_ADMIN_PORT: {
    schema: configTypes.port,
    default: '0',
    doc: 'loopback port of /metrics, /healthz, /readyz and /debug/routes; 0 picks a free one',
  },
  SKYRUN_BASE_DOMAIN: {
    schema: z.string().min(1).toLowerCase(),
    default: 'localhost',
    doc: 'services answer at <service>.<project>.<base domain>',
  },
  SKYRUN_TLS_PORT: {
    schema: configTypes.port.optional(),
    doc: 'a port for TLS alone (HTTP/2 and HTTP/1.1); SKYRUN_PORT takes TLS too, from clients that begin with it',
  },
  SKYRUN_TLS_DIR: {
    schema: configTypes.text.optional(),
    doc: 'certificates: NAME.crt with NAME.key, PEM, read again when they change; default: tls in SKYRUN_DATA_DIR',
  },
  SKYRUN_TLS_DEVELOPMENT: {
    schema: configTypes.flag,
    default: 'true',
    doc: 'issue a certificate where no file fits; trust development/ca.crt in SKYRUN_TLS_DIR to use them',
  },
  SKYRUN_ACME_URL: {
    schema: configTypes.url.optional(),
    doc: 'directory of an ACME authority that certificates are ordered from, such as Let’s Encrypt',
  },
  SKYRUN_ACME_HOSTS: {
    schema: z
      .string()
      .toLowerCase()
      .transform((text) =>
        text
          .split(',')
          .map((host) => host.trim())
          .filter((host) => host !== ''),
      ),
    default: '',
    doc: 'hosts that certificates are ordered for, separated by commas; port 80 of each must lead here',
  },
  SKYRUN_ACME_EMAIL: { schema: z.email().optional(), doc: 'where the authority writes to' },
  SKYRUN_ACME_TRUST_FILE: {
    schema: configTypes.text.optional(),
    doc: 'PEM that a private authority’s own certificate is checked against',
  },
  SKYRUN_ACCESS_LOG: {
    schema: configTypes.text.optional(),
    doc: 'file that requests are written to as lines of JSON, opened anew on SIGHUP; - is standard output; without it none is',
  },
  SKYRUN_ACCESS_LOG_RATIO: {
    schema: z.coerce.number().min(0).max(1),
    default: '1',
    doc: 'share of the requests in the access log, 0 to 1; those answered with 500 and above are always there',
  },
  SKYRUN_ACCESS_LOG_QUERY: {
    schema: configTypes.flag,
    default: 'false',
    doc: 'write queries with their values, which may be secrets',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: configTypes.url.optional(),
    doc: 'collector that the spans of requests are sent to, by OTLP over HTTP (JSON); without it nothing is traced',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: z.string().transform(headerPairs),
    default: '',
    doc: 'sent to the collector with each batch: name=value, separated by commas',
    secret: true,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce.number().min(0).max(1),
    default: '0.1',
    doc: 'share of the requests without a trace of their own that are traced, 0 to 1; a trace that comes in goes on as it came',
  },
  SKYRUN_DATA_DIR: { schema: configTypes.text, default: '.skyrun', doc: 'where routes and usage are kept' },
  SKYRUN_UI_DIR: { schema: configTypes.text, default: 'ui/dist', doc: 'the built web page' },
  SKYRUN_IDENTITY_URL: { schema: configTypes.url, doc: 'address of the identity service' },
  SKYRUN_REGISTRY_URL: { schema: configTypes.url, doc: 'address of the registry service' },
  SKYRUN_ORCHESTRATOR_URL: { schema: configTypes.url, doc: 'address of the orchestrator service' },
  SKYRUN_EVENTS_URL: { schema: configTypes.url, doc: 'address of the events service' },
  SKYRUN_BILLING_URL: { schema: configTypes.url, doc: 'address of the billing service' },
  SKYRUN_INTERNAL_TOKEN: {
    schema: z.string().min(32, 'at least 32 characters'),
    doc: 'shared secret of the platform’s own parts, for /internal calls',
    secret: true,
  },
  SKYRUN_BUS: { schema: z.enum(['redis', 'rabbitmq']), default: 'redis', doc: 'which broker carries events' },
  SKYRUN_REDIS_URL: {
    schema: z.url().optional(),
    doc: 'address of Redis: the bus where it is chosen, and what makes the rate limits of several gateways one',
    secret: true,
  },
  SKYRUN_REDIS_REPLICAS: {
    schema: z.coerce.number().int().min(0).max(10),
    default: '0',
    doc: 'replicas of Redis that must have an event before it counts as published, so that a promoted one lacks none',
  },
  SKYRUN_RABBITMQ_URL: { schema: z.url().optional(), doc: 'address of RabbitMQ, where it is the bus', secret: true },
  SKYRUN_GATEWAY_WAIT_MS: {
    schema: milliseconds,
    default: '120000',
    doc: 'how long a request may wait for an instance, in ms; its service’s timeout bounds it too',
  },
  SKYRUN_GATEWAY_QUEUE: {
    schema: z.coerce.number().int().min(1).max(1_000_000),
    default: '1000',
    doc: 'how many requests may wait for one revision',
  },
  SKYRUN_GATEWAY_QUEUE_BYTES: {
    schema: z.coerce.number().int().min(131_072).max(68_719_476_736),
    default: '33554432',
    doc: 'how many bytes of requests, heads and bodies, are kept for one revision while they wait; more are answered 503',
  },
  SKYRUN_GATEWAY_HEADER_MS: { schema: milliseconds, default: '10000', doc: 'how long a request head may take, in ms' },
  SKYRUN_GATEWAY_IDLE_MS: {
    schema: milliseconds,
    default: '75000',
    doc: 'how long a connection may be idle between requests, in ms',
  },
  SKYRUN_GATEWAY_STALL_MS: {
    schema: milliseconds,
    default: '30000',
    doc: 'how long a client may neither send its body nor take its response, in ms',
  },
  SKYRUN_GATEWAY_CONNECTIONS: {
    schema: connections,
    default: '0',
    doc: 'how many client connections may be open at a time in one gateway process; 0 is no limit',
  },
  SKYRUN_GATEWAY_ADDRESS_CONNECTIONS: {
    schema: connections,
    default: '0',
    doc: 'how many of them one client address may have, where clients come with addresses of their own; 0 is no limit',
  },
  SKYRUN_GATEWAY_DRAIN_MS: {
    schema: milliseconds,
    default: '10000',
    doc: 'how long requests in flight and open WebSockets may go on after SIGTERM, in ms',
  },
});
