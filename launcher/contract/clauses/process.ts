import { type Clause, clause, exactly } from '../clause.ts';
import type { Facts } from '../facts.ts';

const PROCESS = 'knative: Process';
const USER = 'knative: User';

/** `plain` says nothing in its template; `custom` says all that can be said; `root` asks for the user 0. */
export function processClauses(seen: {
  readonly plain: Facts;
  readonly custom: Facts;
  readonly root: Facts;
}): Clause[] {
  const { plain, custom, root } = seen;
  const own = plain.environment;
  const leaked = Object.keys(own).filter((name) => name.startsWith('SKYRUN_'));
  return [
    clause('PORT by default', 'knative: Protocols and Ports', '8080', exactly(own['PORT'], '8080')),
    clause('PORT as asked for', 'knative: Protocols and Ports', '9090', exactly(custom.environment['PORT'], '9090')),
    clause('K_SERVICE', PROCESS, 'the service', exactly(own['K_SERVICE'], 'plain')),
    clause('K_REVISION', PROCESS, 'the revision', exactly(own['K_REVISION'], 'plain-00001')),
    clause('K_CONFIGURATION', PROCESS, 'the configuration', exactly(own['K_CONFIGURATION'], 'plain')),
    clause(
      'variables of the template',
      'cloud run: environment variables',
      'as given',
      exactly(custom.environment['GREETING'], 'hällo = "world"'),
    ),
    clause('variables of the image', 'knative: Process (OCI)', 'kept', exactly(own['NODE_ENV'], 'production')),
    clause('variables of the platform', 'skyrun: nothing of ours inside', 'none', {
      seen: leaked.length === 0 ? 'none' : leaked.join(', '),
      holds: leaked.length === 0,
    }),
    clause('command and args', 'knative: Process (OCI)', 'one two', exactly(custom.arguments.join(' '), 'one two')),
    clause('working directory of the image', 'knative: Process (OCI)', '/app', exactly(plain.directory, '/app')),
    clause('workingDir', 'knative: Process (OCI)', '/tmp', exactly(custom.directory, '/tmp')),
    clause('USER of the image', USER, '65532:65532', exactly(`${plain.user}:${plain.group}`, '65532:65532')),
    clause('runAsUser', USER, '12345', exactly(custom.user, 12_345)),
    clause('runAsUser 0', USER, '0, in the same sandbox', exactly(root.user, 0)),
    clause('standard input', 'knative: File descriptors', 'end of file', {
      seen: plain.stdinEnded ? 'end of file' : 'open',
      holds: plain.stdinEnded,
    }),
    clause('terminal', PROCESS, 'none', exactly(plain.terminal.isTty ? 'a terminal' : 'none', 'none')),
    clause('process ids', 'knative: Namespaces', 'its own: it is process 1', exactly(plain.processId, '1')),
    clause('host name', 'knative: Default Filesystems', 'its own', {
      seen: plain.hostname,
      holds: plain.hostname !== custom.hostname && plain.files.hostnameFile === plain.hostname,
    }),
  ];
}
