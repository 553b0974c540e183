import { type Clause, clause, denied, exactly } from '../clause.ts';
import type { Facts } from '../facts.ts';

const SANDBOX = 'skyrun: sandbox';

/** What a container may not do, asked as an ordinary user and as root: root without capabilities is no more than a user. */
export function privilegeClauses({ plain, root }: { readonly plain: Facts; readonly root: Facts }): Clause[] {
  const none = (mask: string) => (Number.parseInt(mask, 16) === 0 ? 'none' : mask);
  const both = (pick: (facts: Facts) => string) => `${pick(plain)}, root ${pick(root)}`;
  return [
    clause(
      'no new privileges',
      SANDBOX,
      'set',
      exactly(
        both(({ status }) => status.noNewPrivileges),
        '1, root 1',
      ),
    ),
    ...(['effective', 'bounding', 'ambient'] as const).map((set) =>
      clause(
        `${set} capabilities`,
        SANDBOX,
        'none, root none',
        exactly(
          both(({ status }) => none(status[set])),
          'none, root none',
        ),
      ),
    ),
    clause(
      'seccomp',
      'knative: Seccomp',
      'a filter (2)',
      exactly(
        both(({ status }) => status.seccomp),
        '2, root 2',
      ),
    ),
    clause('a setuid-root program', SANDBOX, 'gains nothing: 65532', exactly(plain.setuidProgram, '65532')),
    clause('change the user', SANDBOX, 'refused', denied(plain.refused.setuid)),
    clause('root: change the user', SANDBOX, 'refused', denied(root.refused.setuid)),
    clause('root: give a file away', SANDBOX, 'refused', denied(root.refused.chown)),
    clause('root: set a kernel parameter', 'knative: Sysctl', 'refused', denied(root.refused.sysctl)),
    clause('root: /proc/sysrq-trigger', 'knative: Readonly Paths', 'refused', denied(root.refused.sysrq)),
    clause('root: /proc/kcore', 'knative: Masked Paths', 'refused or empty', denied(root.refused.kernelMemory)),
    clause('root: raise its own limit', 'knative: Control Groups', 'refused', denied(root.refused.cgroup)),
    clause('root: make a device', 'knative: Devices', 'refused', denied(root.refused.device)),
    clause('root: mount', 'knative: Rootfs Mount Propagation', 'refused', denied(root.refused.mount)),
  ];
}
