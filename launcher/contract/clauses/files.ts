import { type Clause, clause, exactly } from '../clause.ts';
import type { Facts } from '../facts.ts';

const FILES = 'knative: Default Filesystems';
const DEVICES = 'knative: Devices (OCI default devices)';

/** What OCI's default devices and symbolic links and the engine's own mounts put there, and nothing else. */
const DEVICE_NAMES = [
  ...['console', 'core', 'fd', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout'],
  ...['tty', 'urandom', 'zero'],
];

/** What reading 16 bytes and writing one must answer. */
const BEHAVIOUR: Readonly<Record<string, { readonly read: string; readonly write: string }>> = {
  null: { read: '0 bytes', write: 'ok' },
  zero: { read: '16 bytes, all 0', write: 'ok' },
  full: { read: '16 bytes, all 0', write: 'ENOSPC' },
  random: { read: '16 bytes', write: 'ok' },
  urandom: { read: '16 bytes', write: 'ok' },
};

export function fileClauses({ plain, root }: { readonly plain: Facts; readonly root: Facts }): Clause[] {
  const { files } = plain;
  const foreign = plain.deviceNames.filter((name) => !DEVICE_NAMES.includes(name));
  const mount = (path: string) => plain.mounts.findLast((each) => each.path === path);
  const tmp = mount('/tmp');
  return [
    clause('/tmp', FILES, 'read-write', exactly(files.tmp, 'ok')),
    clause('/tmp in memory', FILES, 'tmpfs with a size', {
      seen: `${tmp?.type} ${tmp?.super}`,
      holds: tmp?.type === 'tmpfs' && /size=\d+/.test(tmp.super ?? ''),
    }),
    clause(
      'root file system',
      'knative: Root',
      'read-only, for root too',
      exactly(`${files.root} ${root.files.root}`, 'EROFS EROFS'),
    ),
    clause('/dev/shm', 'knative: Default Filesystems (OCI)', 'read-write', exactly(files.shm, 'ok')),
    clause(
      '/dev/log',
      'skyrun: logs are standard output and error',
      'absent',
      exactly(files.devLog ? 'there' : 'absent', 'absent'),
    ),
    ...Object.entries(BEHAVIOUR).map(([name, wanted]) => {
      const found = plain.devices[name];
      const said = found ? `read ${found.read}, write ${found.write}` : 'absent';
      return clause(`/dev/${name}`, DEVICES, `read ${wanted.read}, write ${wanted.write}`, {
        seen: said,
        holds: found?.kind === 'ok' && found.read === wanted.read && found.write === wanted.write,
      });
    }),
    clause('/dev/tty', DEVICES, 'present', exactly(plain.terminal.present, 'ok')),
    clause('other devices', DEVICES, 'none', {
      seen: foreign.length === 0 ? 'none' : foreign.join(', '),
      holds: foreign.length === 0,
    }),
    clause('/etc/hosts', FILES, 'names itself and localhost', {
      seen: files.hosts ?? 'absent',
      holds: /^127\.0\.0\.1\s+localhost/m.test(files.hosts ?? '') && (files.hosts ?? '').includes(plain.hostname),
    }),
    clause('/etc/resolv.conf', FILES, 'a resolver', {
      seen: files.resolver ?? 'absent',
      holds: /^nameserver \S+/m.test(files.resolver ?? ''),
    }),
    clause('/proc/sys', 'knative: Sysctl, Readonly Paths', 'read-only', readOnly(mount('/proc/sys'))),
    clause('/sys', 'knative: Readonly Paths', 'read-only', readOnly(mount('/sys'))),
    clause('cgroups', 'knative: Control Groups', 'mounted read-only', cgroups(plain)),
  ];
}

function readOnly(mount: Facts['mounts'][number] | undefined) {
  const options = mount?.options ?? 'not a mount of its own';
  return { seen: options, holds: options.split(',').includes('ro') };
}

function cgroups({ mounts }: Facts) {
  const found = mounts.filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  const writable = found.filter(({ options }) => !options?.split(',').includes('ro')).map(({ path }) => path);
  return {
    seen: `${found.length} mounts, ${writable.length === 0 ? 'all read-only' : `writable: ${writable.join(', ')}`}`,
    holds: found.length > 0 && writable.length === 0,
  };
}
