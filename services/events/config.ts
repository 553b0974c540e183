import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

export const eventsConfig = defineConfig('events', {
  SKYRUN_EVENT_RETENTION_DAYS: {
    schema: configTypes.integer.min(1).max(3650),
    default: '30',
    doc: 'days that events stay in the history',
  },
  SKYRUN_FEED_BACKLOG: {
    schema: configTypes.integer.min(500).max(100_000),
    default: '2000',
    doc: 'unsent messages after which a live feed client counts as too slow and is disconnected',
  },
  SKYRUN_FEED_REPLAY: {
    schema: configTypes.integer.min(0).max(1_000_000),
    default: '10000',
    doc: 'missed events that a live feed client gets at most when it comes back',
  },
  SKYRUN_REDIS_URL: {
    schema: z
      .string()
      .regex(/^rediss?:\/\//, 'expected redis://…')
      .optional(),
    doc: 'the Redis server of push deliveries, also where RabbitMQ carries the events; without it there are none',
    secret: true,
  },
  SKYRUN_WEBHOOK_KEY_SECRET: {
    schema: z.string().min(32, 'at least 32 characters').optional(),
    doc: 'encrypts the signing secrets of push subscriptions in the database; without it there are none. When it changes, each secret must be rotated',
    secret: true,
  },
  SKYRUN_WEBHOOK_ALLOW_PRIVATE: {
    schema: configTypes.flag,
    default: 'false',
    doc: 'whether push subscriptions and health checks of team services may call private, loopback and link-local addresses; only where every tenant is trusted',
  },
  SKYRUN_WEBHOOK_TIMEOUT_MS: {
    schema: configTypes.integer.min(100).max(25_000),
    default: '10000',
    doc: 'how long a push destination has to answer, in ms',
  },
  SKYRUN_WEBHOOK_RETRY_MS: {
    schema: configTypes.integer.min(1).max(600_000),
    default: '1000',
    doc: 'the first pause of a push delivery before it is tried again, in ms; doubles each time, with jitter, up to an hour',
  },
  SKYRUN_WEBHOOK_CONCURRENCY: {
    schema: configTypes.integer.min(1).max(100),
    default: '4',
    doc: 'requests that one process has open to one push destination',
  },
});

export type EventsConfig = ConfigOf<typeof eventsConfig>;
