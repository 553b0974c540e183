import type Docker from 'dockerode';
import type { InstanceSpec } from '../runtime.ts';
import { containerName, networkName, writeLabels } from './labels.ts';

const MIB = 1024 * 1024;

export interface SandboxOptions {
  readonly installation: string;
  readonly pidsLimit: number;
}

/** How an instance becomes a container: the container contract, the limits and the sandbox. */
export function containerOptions(spec: InstanceSpec, options: SandboxOptions): Docker.ContainerCreateOptions {
  const { installation, pidsLimit } = options;
  const network = networkName(installation, spec.project);
  const memory = spec.memoryMib * MIB;
  // Pages of a tmpfs count as the container's memory; half leaves the process room when /tmp is full.
  const temporary = Math.max(8, Math.floor(spec.memoryMib / 2));
  return {
    name: containerName(installation, spec.instanceId),
    Image: spec.image,
    ...(spec.command ? { Entrypoint: [...spec.command] } : {}),
    ...(spec.args ? { Cmd: [...spec.args] } : {}),
    ...(spec.workingDir ? { WorkingDir: spec.workingDir } : {}),
    ...(spec.runAsUser === undefined ? {} : { User: String(spec.runAsUser) }),
    Env: spec.env.map(({ name, value }) => `${name}=${value}`),
    Labels: writeLabels(installation, spec),
    // Closed standard input reads as end of file.
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    // Whether it is well is asked by us, through its port.
    Healthcheck: { Test: ['NONE'] },
    // The contract says SIGTERM whatever STOPSIGNAL the image names.
    StopSignal: 'SIGTERM',
    HostConfig: {
      NetworkMode: network,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${temporary}m` },
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: spec.cpuMilli * 1_000_000,
      PidsLimit: pidsLimit,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    },
    NetworkingConfig: { EndpointsConfig: { [network]: {} } },
  };
}
