import type Docker from 'dockerode';
import { networkName, writeLabels } from '../docker/labels.ts';
import type { InstanceSpec } from '../runtime.ts';

const MIB = 1024 * 1024;
const NS_PER_SECOND = 1_000_000_000;
/** Newer than the client's types. */
const NO_NEW_PRIVILEGES: object = { Privileges: { NoNewPrivileges: true } };

export interface ServiceOptions {
  readonly name: string;
  readonly installation: string;
  readonly pidsLimit: number;
  /** Whether the engines can be asked to let no process gain privileges; see `privileges.ts`. */
  readonly noNewPrivileges: boolean;
}

/** Set on the nodes whose engines we reach: only there can an image be brought. */
export function nodeLabel(installation: string): string {
  return `dev.skyrun.engine.${installation}`;
}

/** How an instance becomes a Swarm service of one task: the container contract, the limits and the sandbox. */
export function serviceSpec(spec: InstanceSpec, options: ServiceOptions): Docker.CreateServiceOptions {
  const { name, installation, pidsLimit, noNewPrivileges } = options;
  const labels = writeLabels(installation, spec);
  const memory = spec.memoryMib * MIB;
  // Pages of a tmpfs count as the container's memory; half leaves the process room when /tmp is full.
  const temporary = Math.max(8, Math.floor(spec.memoryMib / 2)) * MIB;
  const container: Docker.ContainerSpec = {
    Image: spec.image,
    Labels: labels,
    ...(spec.command ? { Command: [...spec.command] } : {}),
    ...(spec.args ? { Args: [...spec.args] } : {}),
    ...(spec.workingDir ? { Dir: spec.workingDir } : {}),
    ...(spec.runAsUser === undefined ? {} : { User: String(spec.runAsUser) }),
    Env: spec.env.map((variable) => `${variable.name}=${variable.value}`),
    HealthCheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    StopGracePeriod: spec.terminationGraceSeconds * NS_PER_SECOND,
    ReadOnly: true,
    CapabilityDrop: ['ALL'],
    ...(noNewPrivileges ? NO_NEW_PRIVILEGES : {}),
    Mounts: [{ Type: 'tmpfs', Source: '', Target: '/tmp', TmpfsOptions: { SizeBytes: temporary, Mode: 0o1777 } }],
  };
  return {
    Name: name,
    Labels: labels,
    Mode: { Replicated: { Replicas: 1 } },
    TaskTemplate: {
      ContainerSpec: container,
      Resources: {
        // Reserved as well: a node takes no more than it has, which is what placement is left to Swarm for.
        Limits: { MemoryBytes: memory, NanoCPUs: spec.cpuMilli * 1_000_000, ...{ Pids: pidsLimit } },
        Reservations: { MemoryBytes: memory },
      },
      // An instance that is over is replaced by another instance, which is the orchestrator's decision.
      RestartPolicy: { Condition: 'none', MaxAttempts: 0 },
      Placement: { Constraints: [`node.labels.${nodeLabel(installation)}==yes`] },
      Networks: [{ Target: networkName(installation, spec.project) }],
      LogDriver: { Name: 'json-file', Options: { 'max-size': '10m', 'max-file': '2' } },
    },
    // The node chooses the port: one number per node would allow one instance per node.
    EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: spec.port, PublishMode: 'host' }] },
  };
}
