import { z } from 'zod';
import { labels } from './metadata.ts';

/**
 * The Knative Service that we understand. Strict at every level: what it does not name is refused, never dropped.
 * Fields that only a server writes (`status`, `uid`, …) may be there, as in the output of `kubectl get -o yaml`, and are ignored.
 */
const serverWritten = {
  uid: z.unknown().optional(),
  generation: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  creationTimestamp: z.unknown().optional(),
};

const quantity = z.union([z.string(), z.number()]);
const seconds = z.int().min(0);

const noHost = z.literal('', 'the instance itself is probed; leave host out');

const probe = z.strictObject({
  tcpSocket: z.strictObject({ port: z.int().min(0).optional(), host: noHost.optional() }).optional(),
  httpGet: z
    .strictObject({
      path: z.string().optional(),
      port: z.int().min(0).optional(),
      scheme: z.literal('HTTP', 'only HTTP is supported').optional(),
      httpHeaders: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
      host: noHost.optional(),
    })
    .optional(),
  exec: z.strictObject({ command: z.array(z.string()) }).optional(),
  initialDelaySeconds: seconds.optional(),
  periodSeconds: seconds.optional(),
  timeoutSeconds: seconds.optional(),
  failureThreshold: z.int().min(0).optional(),
  successThreshold: z.int().min(0).optional(),
});
export type KnativeProbe = z.infer<typeof probe>;

/** Only what asks for less than the sandbox takes away, and the user. */
const securityContext = z.strictObject({
  runAsUser: z.int().min(0).optional(),
  runAsNonRoot: z.boolean().optional(),
  allowPrivilegeEscalation: z.literal(false, 'processes never gain privileges; leave it out').optional(),
  privileged: z.literal(false, 'containers are never privileged; leave it out').optional(),
  readOnlyRootFilesystem: z.literal(true, 'only /tmp can be written to; leave it out').optional(),
  capabilities: z
    .strictObject({ drop: z.array(z.string()).optional() }, 'all capabilities are dropped; none can be added')
    .optional(),
  seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault', 'only RuntimeDefault is supported') }).optional(),
});

/** Fields that Cloud Run and kubectl write and that can mean nothing here: accepted, told of, and not kept. */
const withoutEffectInContainer = {
  imagePullPolicy: z.string().optional(),
  terminationMessagePath: z.string().optional(),
  terminationMessagePolicy: z.string().optional(),
};
const withoutEffectInPod = {
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
};
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  imagePullPolicy: 'images are pinned by digest',
  terminationMessagePath: 'the last lines of the log are the message',
  terminationMessagePolicy: 'the last lines of the log are the message',
  serviceAccountName: 'there are no service accounts',
  automountServiceAccountToken: 'there are no service accounts',
  requests: 'what is limited is reserved',
};

const container = z.strictObject({
  /** Has no effect: there is one container. */
  name: z.string().optional(),
  image: z.string(),
  ports: z
    .array(
      z.strictObject({
        name: z.enum(['http1', 'h2c', ''], 'expected http1 or h2c').optional(),
        containerPort: z.int().optional(),
        protocol: z.literal('TCP', 'only TCP is supported').optional(),
      }),
    )
    .max(1, 'only one port can be given')
    .optional(),
  env: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string().optional() }) })
          .optional(),
      }),
    )
    .optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  resources: z
    .strictObject({
      limits: z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() }).optional(),
      requests: z.record(z.string(), quantity).optional(),
    })
    .optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  securityContext: securityContext.optional(),
  ...withoutEffectInContainer,
});

export const knativeService = z.strictObject({
  apiVersion: z.literal('serving.knative.dev/v1', 'expected serving.knative.dev/v1'),
  kind: z.literal('Service', 'expected Service'),
  metadata: z.strictObject({
    name: z.string(),
    namespace: z.string().optional(),
    annotations: z.record(z.string(), z.string('expected a string; put the value in quotes')).optional(),
    ...serverWritten,
  }),
  spec: z.strictObject({
    template: z.strictObject({
      metadata: z
        .strictObject({
          name: z.undefined('revisions are named by Skyrun; leave it out').optional(),
          labels: labels.optional(),
          annotations: z.record(z.string(), z.string('expected a string; put the value in quotes')).optional(),
          creationTimestamp: z.null().optional(),
        })
        .optional(),
      spec: z.strictObject({
        containerConcurrency: z.int().optional(),
        timeoutSeconds: z.int().optional(),
        terminationGracePeriodSeconds: z.int().optional(),
        enableServiceLinks: z.literal(false, 'only false is supported').optional(),
        ...withoutEffectInPod,
        containers: z.array(container).length(1, 'expected exactly one container'),
      }),
    }),
    traffic: z
      .array(
        z.strictObject({
          revisionName: z.string().optional(),
          latestRevision: z.boolean().optional(),
          percent: z.int().optional(),
          tag: z.string().optional(),
          url: z.unknown().optional(),
        }),
      )
      .optional(),
  }),
  status: z.unknown().optional(),
});
export type KnativeService = z.infer<typeof knativeService>;

/** Why well-known fields are refused; any other is just not known here. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  labels: 'labels are not kept; leave them out',
  annotations: 'annotations of the service are not kept; those of the template are read',
  configMapKeyRef: 'config maps are not supported; give a value or a secretKeyRef',
  fieldRef: 'fields are not supported; give a value or a secretKeyRef',
  envFrom: 'secrets and config maps are not supported; give env',
  volumes: 'volumes are not supported',
  volumeMounts: 'volumes are not supported',
  imagePullSecrets: 'images are uploaded, not pulled; leave it out',
  grpc: 'only tcpSocket, httpGet and exec probes are supported',
  configurationName: 'traffic goes to revisions of this service only',
  responseStartTimeoutSeconds: 'only timeoutSeconds is supported',
  idleTimeoutSeconds: 'only timeoutSeconds is supported',
};
