import { z } from 'zod';

const device = z.object({ kind: z.string(), read: z.string(), write: z.string() });

/** What the probe tells of its container. A result of an attempt is `ok` or the code of the error. */
export const facts = z.object({
  environment: z.record(z.string(), z.string()),
  arguments: z.array(z.string()),
  directory: z.string(),
  user: z.int(),
  group: z.int(),
  hostname: z.string(),
  stdinEnded: z.boolean(),
  processId: z.string(),
  status: z.object({
    effective: z.string(),
    bounding: z.string(),
    ambient: z.string(),
    noNewPrivileges: z.string(),
    seccomp: z.string(),
  }),
  setuidProgram: z.string(),
  files: z.object({
    tmp: z.string(),
    root: z.string(),
    shm: z.string(),
    devLog: z.boolean(),
    hosts: z.string().nullable(),
    resolver: z.string().nullable(),
    hostnameFile: z.string().nullable(),
  }),
  refused: z.object({
    sysctl: z.string(),
    sysrq: z.string(),
    kernelMemory: z.string(),
    cgroup: z.string(),
    chown: z.string(),
    setuid: z.string(),
    device: z.string(),
    mount: z.string(),
  }),
  devices: z.record(z.string(), device),
  terminal: z.object({ present: z.string(), isTty: z.boolean() }),
  deviceNames: z.array(z.string()),
  mounts: z.array(
    z.object({
      path: z.string().optional(),
      options: z.string().optional(),
      type: z.string().optional(),
      super: z.string().optional(),
    }),
  ),
  limits: z.object({
    version: z.int(),
    memory: z.string().nullable(),
    cpuQuota: z.string().nullable(),
    cpuPeriod: z.string().nullable(),
    processes: z.string().nullable(),
  }),
  processes: z.int(),
  route: z.string().nullable(),
});
export type Facts = z.infer<typeof facts>;

/** Address of the default gateway, which is the machine itself; the kernel writes it as little-endian hexadecimal. */
export function gatewayOf({ route }: Pick<Facts, 'route'>): string | null {
  for (const line of (route ?? '').split('\n').slice(1)) {
    const [, destination, gateway = ''] = line.trim().split(/\s+/);
    if (destination !== '00000000' || gateway.length !== 8) continue;
    return [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16)).join('.');
  }
  return null;
}
