import { z } from 'zod';

/** A program in the container that must exit with 0. */
const command = z.array(z.string().max(4096)).min(1).max(100);

const headers = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected a header name such as X-Probe'),
      value: z.string().max(4096),
    }),
  )
  .max(20);

interface Asked {
  readonly kind: 'tcp' | 'http' | 'exec';
  readonly command?: readonly string[] | undefined;
}

function needsCommand(value: Asked, context: z.RefinementCtx): void {
  if (value.kind === 'exec' && value.command === undefined) {
    context.addIssue({ code: 'custom', path: ['command'], message: 'an exec probe needs a command' });
  }
}

/** What tells that an instance has come up. It is asked often at first: a cold start waits for the answer. */
export const probe = z
  .strictObject({
    /** What is asked: a TCP connect, an HTTP GET that must answer 200–399, or a command that must exit with 0. */
    kind: z.enum(['tcp', 'http', 'exec']).default('tcp'),
    path: z.string().startsWith('/').default('/'),
    headers: headers.optional(),
    command: command.optional(),
    periodMs: z.int().min(10).max(300_000).default(100),
    timeoutMs: z.int().min(10).max(300_000).default(1000),
    /** For how long it may fail before the instance counts as failed. */
    deadlineSeconds: z.int().min(1).max(3600).default(240),
  })
  .superRefine(needsCommand);
export type Probe = z.infer<typeof probe>;

/**
 * What is asked of an instance for as long as it serves; Knative's words and defaults. A failing readiness probe takes
 * the instance out of the route until it succeeds again, a failing liveness probe ends it and another takes its place.
 */
export const healthProbe = z
  .strictObject({
    kind: z.enum(['tcp', 'http', 'exec']).default('tcp'),
    path: z.string().startsWith('/').default('/'),
    headers: headers.optional(),
    command: command.optional(),
    /** After the instance has come up. */
    initialDelaySeconds: z.int().min(0).max(3600).default(0),
    periodSeconds: z.int().min(1).max(3600).default(10),
    timeoutSeconds: z.int().min(1).max(3600).default(1),
    /** So many failures in a row. */
    failureThreshold: z.int().min(1).max(1000).default(3),
    /** So many successes in a row after a failure. */
    successThreshold: z.int().min(1).max(1000).default(1),
  })
  .superRefine(needsCommand);
export type HealthProbe = z.infer<typeof healthProbe>;
