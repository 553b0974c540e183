import { KNATIVE_VERSION } from '@skyrun/contracts';
import { type Clause, clause } from '../clause.ts';
import type { KubernetesAnswer, World } from '../world.ts';

interface Forbidden {
  readonly field: string;
  readonly container?: object;
  readonly pod?: object;
  /** Other than the container API of Knative. */
  readonly source?: 'User' | 'Process' | 'Protocols and Ports' | 'Hooks' | 'Devices' | 'Sysctl' | 'Namespaces';
}

const HOST_PATH = { name: 'host', hostPath: { path: '/' } };

/** Each would loosen the sandbox or means nothing here. */
const FORBIDDEN: readonly Forbidden[] = [
  { field: 'hostNetwork', pod: { hostNetwork: true }, source: 'Namespaces' },
  { field: 'hostPID', pod: { hostPID: true }, source: 'Namespaces' },
  { field: 'hostIPC', pod: { hostIPC: true }, source: 'Namespaces' },
  { field: 'shareProcessNamespace', pod: { shareProcessNamespace: true }, source: 'Namespaces' },
  { field: 'volumes', pod: { volumes: [HOST_PATH] } },
  { field: 'volumeMounts', container: { volumeMounts: [{ name: 'host', mountPath: '/host' }] } },
  {
    field: 'volumeDevices',
    container: { volumeDevices: [{ name: 'disk', devicePath: '/dev/sda' }] },
    source: 'Devices',
  },
  { field: 'privileged', container: { securityContext: { privileged: true } }, source: 'Process' },
  {
    field: 'allowPrivilegeEscalation',
    container: { securityContext: { allowPrivilegeEscalation: true } },
    source: 'Process',
  },
  {
    field: 'capabilities',
    container: { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } },
    source: 'Process',
  },
  { field: 'readOnlyRootFilesystem', container: { securityContext: { readOnlyRootFilesystem: false } } },
  {
    field: 'seccompProfile',
    container: { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    source: 'Process',
  },
  { field: 'runAsNonRoot', container: { securityContext: { runAsNonRoot: true, runAsUser: 0 } }, source: 'User' },
  {
    field: 'securityContext',
    pod: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    source: 'Sysctl',
  },
  { field: 'initContainers', pod: { initContainers: [{ image: 'x' }] } },
  { field: 'nodeName', pod: { nodeName: 'one' } },
  { field: 'restartPolicy', pod: { restartPolicy: 'Never' } },
  { field: 'dnsPolicy', pod: { dnsPolicy: 'Default' } },
  { field: 'lifecycle', container: { lifecycle: { preStop: { exec: { command: ['x'] } } } }, source: 'Hooks' },
  { field: 'stdin', container: { stdin: true }, source: 'Process' },
  { field: 'tty', container: { tty: true }, source: 'Process' },
  { field: 'hostPort', container: { ports: [{ containerPort: 8080, hostPort: 80 }] }, source: 'Protocols and Ports' },
  {
    field: 'ports',
    container: { ports: [{ containerPort: 8080 }, { containerPort: 9090 }] },
    source: 'Protocols and Ports',
  },
  { field: 'name', container: { ports: [{ name: 'gopher', containerPort: 8080 }] }, source: 'Protocols and Ports' },
  { field: 'env', container: { env: [{ name: 'PORT', value: '1' }] }, source: 'Process' },
];

function manifest({ container = {}, pod = {} }: Pick<Forbidden, 'container' | 'pod'>): object {
  const containers = [{ image: 'contract-probe', ...container }];
  return {
    apiVersion: KNATIVE_VERSION,
    kind: 'Service',
    metadata: { name: 'forbidden' },
    spec: { template: { spec: { containers, ...pod } } },
  };
}

/** That nothing of a manifest can open the sandbox, and that whoever tries is told which field it was. */
export async function admissionClauses(world: World): Promise<Clause[]> {
  const refused: Clause[] = [];
  for (const forbidden of FORBIDDEN) {
    const answer = await world.admit(manifest(forbidden), 'Strict');
    const said = messageOf(answer);
    refused.push(
      clause(shown(forbidden), `knative: ${forbidden.source ?? 'Mounts'}`, 'refused, with the field’s name', {
        seen: `${answer.status} ${said}`,
        holds: (answer.status === 400 || answer.status === 422) && said.includes(forbidden.field),
      }),
    );
  }
  const pruned = await world.admit(manifest({ pod: { hostNetwork: true } }), 'Warn');
  const kept = pruned.body.includes('hostNetwork');
  return [
    ...refused,
    clause('hostNetwork with kubectl’s Warn', 'knative: Namespaces', 'left out, with a warning', {
      seen: `${pruned.status}, ${kept ? 'kept' : 'left out'}, warning ${pruned.warnings || 'none'}`,
      holds: pruned.status === 201 && !kept && pruned.warnings.includes('hostNetwork'),
    }),
  ];
}

function shown({ field, container, pod }: Forbidden): string {
  const text = JSON.stringify(container ?? pod).replaceAll(/["{}]/g, '');
  return text.includes(field) ? text : field;
}

function messageOf({ body }: KubernetesAnswer): string {
  const parsed: unknown = JSON.parse(body);
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed
    ? String(parsed.message)
    : body.slice(0, 200);
}
