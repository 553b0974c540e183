import { KUBERNETES_API } from '@skyrun/contracts';
import { z } from 'zod';

const named = z.looseObject({ name: z.string() });
const kubeconfig = z.looseObject({
  apiVersion: z.literal('v1').optional(),
  kind: z.literal('Config').optional(),
  clusters: z.array(named).nullish(),
  users: z.array(named).nullish(),
  contexts: z.array(named).nullish(),
  'current-context': z.string().optional(),
});
export type Kubeconfig = z.infer<typeof kubeconfig>;

/** What a client needs to believe the server. */
export interface ServerTrust {
  /** PEM of the authority; null where the system trusts it. */
  readonly authority: string | null;
  /** The name on the certificate, where it is not the address's. */
  readonly serverName: string | null;
}

export interface KubeconfigEntry {
  /** Of cluster, user and context. */
  readonly name: string;
  /** `https://…`: Kubernetes' clients send credentials over TLS only. */
  readonly baseUrl: string;
  readonly trust: ServerTrust;
  readonly project: string | null;
  readonly user:
    | { readonly token: string }
    | { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

/** A kubeconfig with one cluster, user and context. */
export function newKubeconfig({ name, baseUrl, trust, project, user }: KubeconfigEntry): Kubeconfig {
  const server = new URL(KUBERNETES_API.path, baseUrl).href;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...trustFields(trust) } }],
    users: [{ name, user: 'token' in user ? { token: user.token } : { exec: execFields(user) } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(project === null ? {} : { namespace: project }) } }],
    'current-context': name,
  };
}

function trustFields({ authority, serverName }: ServerTrust) {
  return {
    ...(authority === null ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(serverName === null ? {} : { 'tls-server-name': serverName }),
  };
}

function execFields({ command, args, env }: Extract<KubeconfigEntry['user'], { command: string }>) {
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command,
    args: [...args],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    interactiveMode: 'Never',
    provideClusterInfo: false,
  };
}

/** Takes ours into what is there: entries of the same name are replaced, others stay, and ours becomes the current one. */
export function mergeKubeconfig(existing: unknown, ours: Kubeconfig): Kubeconfig | null {
  const parsed = kubeconfig.safeParse(existing ?? {});
  if (!parsed.success) return null;
  const merge = (field: 'clusters' | 'users' | 'contexts') => {
    const added = ours[field] ?? [];
    const names = new Set(added.map(({ name }) => name));
    return [...(parsed.data[field] ?? []).filter(({ name }) => !names.has(name)), ...added];
  };
  return {
    ...parsed.data,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: merge('clusters'),
    users: merge('users'),
    contexts: merge('contexts'),
    ...(ours['current-context'] === undefined ? {} : { 'current-context': ours['current-context'] }),
  };
}
