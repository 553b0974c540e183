import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { parse, stringify } from 'yaml';
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts';
import { type Kubeconfig, type KubeconfigEntry, mergeKubeconfig, newKubeconfig } from '../kubeconfig.ts';
import { chooseProject } from '../project.ts';
import { readServerTrust } from '../server-trust.ts';

export const kubeconfigCommand: Command = {
  name: 'kubeconfig',
  usage: '[--merge] [--file ~/.kube/config] [--name skyrun] [--server https://…] [--token T] [--project P]',
  summary: 'Print what kubectl and kn need to work with Skyrun, or merge it into a kubeconfig',
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        merge: { type: 'boolean', default: false },
        file: { type: 'string' },
        name: { type: 'string', default: 'skyrun' },
        server: { type: 'string' },
        token: { type: 'string' },
        project: { type: 'string' },
        credential: { type: 'boolean', default: false },
      },
    });
    if (values.credential) return await printCredential(context);
    const client = await context.client();
    const server = serverUrl(values.server ?? client.baseUrl);
    const ours = newKubeconfig({
      name: values.name,
      baseUrl: server.href,
      trust: await readServerTrust(server),
      project: await chooseProject(context, client, values.project),
      user: values.token === undefined ? ownCommand(context) : { token: values.token },
    });
    if (!values.merge) {
      if (context.output.json) context.output.data(ours);
      else context.output.line(stringify(ours).trimEnd());
      return EXIT.ok;
    }
    const file = values.file ?? join(context.environment.homeDir, '.kube', 'config');
    await mergeInto(file, ours);
    if (context.output.json) context.output.data({ file, context: values.name });
    else context.output.line(`Merged into ${file}; the current context is ${values.name}. Try: kubectl get ksvc`);
    return EXIT.ok;
  },
};

/** Where TLS is spoken: the gateway takes it on its plain port too. */
function serverUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`--server ${text} is not a URL`);
  const url = new URL(text);
  if (url.protocol === 'https:') return url;
  return new URL(`https://${url.hostname}:${url.port === '' ? '80' : url.port}`);
}

/** `kubectl` asks this command for a token whenever it needs one, so none is written down and none is too old. */
function ownCommand({ sessions }: CommandContext): KubeconfigEntry['user'] {
  const [command, script = ''] = process.argv;
  return {
    command: command ?? 'node',
    args: ['--disable-warning=ExperimentalWarning', script, 'kubeconfig', '--credential'],
    env: { SKYRUN_SESSION_FILE: sessions.file },
  };
}

/** What Kubernetes' clients expect of such a command (`client.authentication.k8s.io/v1`). */
async function printCredential(context: CommandContext): Promise<number> {
  const client = await context.client();
  const token = await client.token();
  const session = await context.sessions.read();
  if (session === null) throw new Problem('auth.required', { detail: 'run: skyrun login' });
  const expirationTimestamp = isoTime(session.accessTokenEndsAt);
  context.output.line(
    JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token, expirationTimestamp },
    }),
  );
  return EXIT.ok;
}

async function mergeInto(file: string, ours: Kubeconfig): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const merged = mergeKubeconfig(parse(text), ours);
  if (merged === null) throw new UsageError(`${file} is not a kubeconfig; choose another with --file`);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Renamed into place, so that nobody reads half a file and a full disk leaves the old one.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, stringify(merged), { mode: 0o600 });
  await rename(draft, file);
}
