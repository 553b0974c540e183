import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { createClient } from '@skyrun/kit';
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts';

export const login: Command = {
  name: 'login',
  usage: '[--url http://localhost:8080] [--email E] [--password-stdin] [--project P]',
  summary: 'Sign in; the password is asked, read from standard input, or taken from SKYRUN_PASSWORD',
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        url: { type: 'string', default: 'http://localhost:8080' },
        email: { type: 'string' },
        'password-stdin': { type: 'boolean', default: false },
        project: { type: 'string' },
      },
    });
    if (!URL.canParse(values.url)) throw new UsageError(`--url ${values.url} is not a URL`);
    const email = values.email ?? (await ask(context, 'E-mail: ', false));
    const password = await readPassword(context, values['password-stdin']);
    const client = createClient({ baseUrl: values.url });
    const tokens = await client.call(OPERATIONS.signIn, { body: { email, password } });
    await context.sessions.write({
      baseUrl: values.url,
      email: tokens.user.email,
      accessToken: tokens.accessToken,
      accessTokenEndsAt: context.clock.now() + tokens.expiresInSeconds * 1000,
      refreshToken: tokens.refreshToken,
      ...(values.project === undefined ? {} : { project: values.project }),
    });
    if (context.output.json) context.output.data({ user: tokens.user, url: values.url });
    else context.output.line(`Signed in to ${values.url} as ${tokens.user.email}`);
    return EXIT.ok;
  },
};

export const logout: Command = {
  name: 'logout',
  usage: '',
  summary: 'End the session',
  async run({ sessions, output }) {
    const session = await sessions.read();
    if (session) {
      const client = createClient({ baseUrl: session.baseUrl });
      await client.call(OPERATIONS.signOut, { body: { refreshToken: session.refreshToken } });
      await sessions.remove();
    }
    if (output.json) output.data({ signedOut: session !== null });
    else output.line(session ? 'Signed out' : 'Nobody was signed in');
    return EXIT.ok;
  },
};

async function readPassword(context: CommandContext, fromStdin: boolean): Promise<string> {
  if (fromStdin) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of context.stdin) chunks.push(chunk);
    return Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }
  return context.environment.password ?? (await ask(context, 'Password: ', true));
}

/** Asks a person; what is typed is not shown when it is secret. */
async function ask(context: CommandContext, question: string, secret: boolean): Promise<string> {
  if (context.stdin.isTTY !== true) {
    throw new UsageError(secret ? 'give --password-stdin or SKYRUN_PASSWORD' : 'give --email');
  }
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: secret ? silent : process.stderr, terminal: true });
  try {
    const answer = await reader.question('');
    if (secret) process.stderr.write('\n');
    return answer;
  } finally {
    reader.close();
  }
}
