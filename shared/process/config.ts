import { configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

/** Where a process finds the rest of the platform. */
export const platformConfig = defineConfig('process', {
  SKYRUN_DATABASE_URL: {
    schema: z.string().regex(/^postgres(ql)?:\/\//, 'expected postgres://…'),
    doc: 'the PostgreSQL database; each service keeps to a schema of its own',
    secret: true,
  },
  SKYRUN_BUS: {
    schema: z.enum(['redis', 'rabbitmq']),
    default: 'redis',
    doc: 'what carries events: redis or rabbitmq',
  },
  SKYRUN_REDIS_URL: {
    schema: z
      .string()
      .regex(/^rediss?:\/\//, 'expected redis://…')
      .optional(),
    doc: 'the Redis server; needed when it carries the events',
    secret: true,
  },
  SKYRUN_REDIS_REPLICAS: {
    schema: z.coerce.number().int().min(0).max(10),
    default: '0',
    doc: 'replicas of Redis that must have an event before it counts as published, so that a promoted one lacks none',
  },
  SKYRUN_RABBITMQ_URL: {
    schema: z
      .string()
      .regex(/^amqps?:\/\//, 'expected amqp://…')
      .optional(),
    doc: 'the RabbitMQ server; needed when it carries the events',
    secret: true,
  },
  SKYRUN_CLOCK_OFFSET_MS: {
    schema: configTypes.integer,
    default: '0',
    doc: 'milliseconds that this process believes the time to be later; for trying what a wrong clock does',
  },
  SKYRUN_REGISTRY_URL: { schema: configTypes.url, doc: 'address of the registry' },
  SKYRUN_ORCHESTRATOR_URL: { schema: configTypes.url, doc: 'address of the orchestrator' },
  SKYRUN_EVENTS_URL: { schema: configTypes.url, doc: 'address of the events service' },
  SKYRUN_BILLING_URL: { schema: configTypes.url, doc: 'address of billing' },
});
