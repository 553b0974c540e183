import { type RevisionTemplate, revisionTemplate, type Service, type ServiceSpec } from '../resources/service.ts';
import { ANNOTATION_RULES, PROBE_DEADLINE } from './annotations.ts';
import { writeProbes } from './probes.ts';
import { formatCpu, formatMemory } from './quantity.ts';
import type { KnativeService } from './schema.ts';
import { writeServiceAnnotations } from './service-annotations.ts';

/** A service as Knative's API would show it. `toServiceSpec` reads it back to the same spec. */
export function toKnative(service: Service): KnativeService {
  const { status } = service;
  const annotations = writeServiceAnnotations(service.spec);
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name: service.name,
      namespace: service.project,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      uid: service.id,
      generation: service.generation,
      resourceVersion: String(service.generation),
      creationTimestamp: service.createdAt,
    },
    spec: toKnativeSpec(service.spec),
    status: {
      observedGeneration: status.observedGeneration,
      url: status.url,
      address: { url: status.url },
      conditions: status.conditions,
      ...(status.latestCreatedRevision === undefined
        ? {}
        : { latestCreatedRevisionName: status.latestCreatedRevision }),
      ...(status.latestReadyRevision === undefined ? {} : { latestReadyRevisionName: status.latestReadyRevision }),
      traffic: status.traffic.map((target) => ({
        ...target,
        latestRevision: target.latestRevision ?? target.revisionName === status.latestReadyRevision,
      })),
    },
  };
}

/**
 * What a file in Knative's form leaves out because Knative has no field for it stays as it was: otherwise applying a file that
 * somebody wrote before would open a service to everybody that is for members only. An annotation of ours says it anew.
 */
export function keepUnsaid(spec: ServiceSpec, known: ServiceSpec | null): ServiceSpec {
  if (known === null) return spec;
  const { policy, rollout, sessionAffinity } = known;
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(sessionAffinity === undefined ? {} : { sessionAffinity }),
    ...spec,
  };
}

/** A spec as it is shown; `toServiceSpec` reads it back to the same. */
export function toKnativeSpec(spec: ServiceSpec): KnativeService['spec'] {
  return { template: toKnativeTemplate(spec.template), traffic: spec.traffic };
}

/** Also what a revision's spec is made of. */
export function toKnativeTemplate(template: RevisionTemplate): KnativeService['spec']['template'] {
  const { image, port, protocol, env, command, args, workingDir, resources } = template;
  const annotations = { ...template.annotations, ...toAnnotations(template) };
  const metadata = {
    ...(template.labels === undefined ? {} : { labels: template.labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return {
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    spec: {
      containerConcurrency: template.containerConcurrency,
      timeoutSeconds: template.timeoutSeconds,
      terminationGracePeriodSeconds: template.terminationGraceSeconds,
      containers: [
        {
          image,
          ports: [{ name: protocol, containerPort: port }],
          env,
          ...(command === undefined ? {} : { command }),
          ...(args === undefined ? {} : { args }),
          ...(workingDir === undefined ? {} : { workingDir }),
          resources: {
            limits: { cpu: formatCpu(resources.cpuMilli), memory: formatMemory(resources.memoryMib) },
          },
          ...writeProbes(template),
          ...(template.runAsUser === undefined ? {} : { securityContext: { runAsUser: template.runAsUser } }),
        },
      ],
    },
  };
}

/** Only what differs from the default, so that a simple service stays simple. */
function toAnnotations(template: RevisionTemplate): Record<string, string> {
  const defaults = revisionTemplate.parse({ image: template.image });
  return Object.fromEntries(
    ANNOTATION_RULES.flatMap(({ names: [name = ''], write }) => {
      const value = write(template);
      // The deadline that a startup probe tells in its own way is not in milliseconds, and has another default.
      const told = name === PROBE_DEADLINE && writeProbes(template).startupProbe !== undefined;
      return value === null || (value === write(defaults) && !told) ? [] : [[name, value]];
    }),
  );
}
