import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { annotations, labels } from '../knative/metadata.ts';
import { digest, dnsLabel, timestamp } from '../names.ts';
import { servicePolicy } from './policy.ts';
import { healthProbe, probe } from './probe.ts';
import { scaling } from './scaling.ts';
import { secretKeyRef } from './secret.ts';
import { startPhases } from './start.ts';
import { rollout, rolloutPolicy, trafficStatus, trafficTargets } from './traffic.ts';

/** A variable with its value, or with the secret that its value comes from. */
export const environmentVariable = z.strictObject({
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name such as LOG_LEVEL'),
  value: z.string().max(32_768).optional(),
  valueFrom: z.strictObject({ secretKeyRef }).optional(),
});
export type EnvironmentVariable = z.infer<typeof environmentVariable>;

/** Names the platform sets itself (Knative runtime contract); a tenant may not. */
export const RESERVED_ENVIRONMENT = ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION'] as const;

const environment = z
  .array(environmentVariable)
  .max(200)
  .superRefine((variables, context) => {
    const seen = new Set<string>();
    variables.forEach((variable, index) => {
      if ((RESERVED_ENVIRONMENT as readonly string[]).includes(variable.name)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `${variable.name} is set by Skyrun; remove it`,
        });
      }
      if ((variable.value === undefined) === (variable.valueFrom === undefined)) {
        context.addIssue({
          code: 'custom',
          path: [index, variable.value === undefined ? 'value' : 'valueFrom'],
          message: 'expected a value or a valueFrom, and not both',
        });
      }
      if (seen.has(variable.name)) {
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `${variable.name} is given twice` });
      }
      seen.add(variable.name);
    });
  });

export const resources = z.strictObject({
  cpuMilli: z.int().min(50).max(64_000).default(1000).describe('thousandths of a virtual CPU'),
  memoryMib: z.int().min(16).max(262_144).default(512),
});

/** What a revision is made of. Every change of it makes a new revision. */
export const revisionTemplate = z.strictObject({
  /** An image of the same project: `name`, `name:tag`, or `sha256:…`. */
  image: z.string().min(1).max(300),
  port: z.int().min(1).max(65_535).default(8080),
  protocol: z.enum(['http1', 'h2c']).default('http1'),
  command: z.array(z.string().max(4096)).max(100).optional().describe('replaces the ENTRYPOINT of the image'),
  args: z.array(z.string().max(4096)).max(100).optional().describe('replaces the CMD of the image'),
  workingDir: z.string().startsWith('/').max(4096).optional(),
  env: environment.default([]),
  resources: resources.prefault({}),
  /** Hard limit of concurrent requests per instance; 0 is no limit. */
  containerConcurrency: z.int().min(0).max(1000).default(80),
  /** Seconds a request may take, first byte to last. */
  timeoutSeconds: z.int().min(1).max(3600).default(300),
  scaling: scaling.prefault({}),
  startupProbe: probe.prefault({}),
  readinessProbe: healthProbe.optional(),
  livenessProbe: healthProbe.optional(),
  /** Seconds between SIGTERM and SIGKILL. */
  terminationGraceSeconds: z.int().min(1).max(600).default(10),
  billingMode: z.enum(['request', 'instance']).default('request'),
  /** Number of the user that the process runs as; absent: what the image says. */
  runAsUser: z.int().min(0).max(2_147_483_647).optional(),
  /** Without effect here; kept, shown in the Kubernetes form, and part of what makes a revision. */
  labels: labels.optional(),
  annotations: annotations.optional(),
});
export type RevisionTemplate = z.infer<typeof revisionTemplate>;

export const serviceSpec = z.strictObject({
  template: revisionTemplate,
  /** Absent: all of it to the latest ready revision. */
  traffic: trafficTargets.default([{ latestRevision: true, percent: 100 }]),
  rollout: rolloutPolicy.optional(),
  sessionAffinity: z.boolean().optional().describe('whether a cookie keeps a client at its side of a traffic split'),
  /** What the gateway asks of requests; a change makes no revision. */
  policy: servicePolicy.optional(),
});
export type ServiceSpec = z.infer<typeof serviceSpec>;

export const condition = z.object({
  type: z.enum(['Ready', 'ConfigurationsReady', 'RoutesReady', 'ContainerHealthy', 'ResourcesAvailable', 'Active']),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: timestamp,
});
export type Condition = z.infer<typeof condition>;

export const service = z.object({
  id: idSchema('service'),
  project: dnsLabel,
  name: dnsLabel,
  generation: z.int().describe('grows by one with every change of the spec; it is the ETag'),
  spec: serviceSpec,
  status: z.object({
    url: z.string(),
    observedGeneration: z.int(),
    conditions: z.array(condition),
    latestCreatedRevision: z.string().optional(),
    latestReadyRevision: z.string().optional(),
    traffic: z.array(trafficStatus),
    rollout: rollout.optional().describe('the last one that concerns the latest revision'),
    instances: z.object({ ready: z.int(), starting: z.int(), draining: z.int() }),
  }),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Service = z.infer<typeof service>;

/** An immutable snapshot of a service's template with the image pinned by digest. */
export const revision = z.object({
  id: idSchema('revision'),
  name: z.string().describe('<service>-<five digits>'),
  project: dnsLabel,
  serviceId: idSchema('service'),
  service: dnsLabel,
  number: z.int().min(1),
  imageDigest: digest,
  imageReference: z.string().describe('the name under which the container engine holds the image'),
  template: revisionTemplate,
  conditions: z.array(condition),
  createdAt: timestamp,
});
export type Revision = z.infer<typeof revision>;

/**
 * `unready`: runs, but its readiness probe fails, so nothing is sent to it. `paused`: frozen, and resumed in milliseconds
 * when it is needed. `parked`: its container is stopped and kept, to be started again. The last two, stopped and
 * failed, are over for ever.
 */
export const instanceState = z.enum([
  'starting',
  'ready',
  'unready',
  'paused',
  'parked',
  'draining',
  'stopped',
  'failed',
]);

/** One running container of a revision, as the orchestrator observes it. */
export const instance = z.object({
  id: idSchema('instance'),
  project: dnsLabel,
  service: dnsLabel,
  serviceId: idSchema('service'),
  revisionId: idSchema('revision'),
  revisionName: z.string(),
  state: instanceState,
  node: z.string(),
  address: z.string().optional(),
  port: z.int().optional(),
  createdAt: timestamp,
  readyAt: timestamp.optional(),
  endedAt: timestamp.optional(),
  /** Why it is not ready any more or never was, e.g. `OOMKilled`, `ExitedWith1`, `ProbeTimeout`, `ScaledDown`. */
  reason: z.string().optional(),
  exitCode: z.int().optional(),
  /** Grows with each change of state, so that of two accounts of an instance the later one can be told. */
  stateVersion: z.int().optional(),
  /** Of the last start. */
  startPhases: startPhases.optional(),
});
export type Instance = z.infer<typeof instance>;
