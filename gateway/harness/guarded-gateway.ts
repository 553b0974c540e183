import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { request } from 'node:http';
import { servicePolicy, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@skyrun/contracts';
import { type Clock, systemClock } from '@skyrun/kit';
import { exportJWK, SignJWT } from 'jose';
import { afterEach } from 'vitest';
import type { z } from 'zod';
import { type EchoInstance, startEcho } from './echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from './gateway.ts';

export const apiKeyOf = (letter: string) => `sk_${letter.repeat(43)}`;
const knownKey = (letter: string, project: string, until: string | null = null) => ({
  digest: createHash('sha256').update(apiKeyOf(letter)).digest('hex'),
  id: `key_01890000-0000-7000-8000-00000000000${letter}`,
  name: `team-${letter}`,
  project,
  until,
});
/** What identity knows: `a` of the project, `b` of another, `c` of the project and over. */
export const apiKeys = [
  knownKey('a', 'demo'),
  knownKey('b', 'other'),
  knownKey('c', 'demo', '2020-01-01T00:00:00.000Z'),
];

export interface Call {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface TokenOptions {
  readonly key?: KeyObject;
  readonly audience?: string;
  readonly exp?: string;
}

export interface GuardedOptions {
  /** Of the instances of the guarded service; by default an echo's. */
  readonly ports?: readonly number[];
  /** Whose the guarded service is; `demo` by default. */
  readonly project?: string;
  /** The gateway's; the system's by default. */
  readonly clock?: Clock;
  /** Another service of the project, of the same policy. */
  readonly sibling?: { readonly host: string; readonly serviceId: string };
}

export interface GuardedGateway {
  /** A gateway whose `hello.demo.localhost` has the policy; `free.demo.localhost` has none. It ends with the test. */
  start(policy: z.input<typeof servicePolicy>, options?: GuardedOptions): Promise<void>;
  readonly running: RunningGateway;
  readonly echo: EchoInstance;
  /** API keys that the gateway told identity it had seen, since the start. */
  readonly used: readonly string[];
  /** As `fetch`, which would not send our Host. */
  call(path?: string, options?: Call): Promise<Response>;
  /** A member's access token. */
  token(claims?: Record<string, unknown>, options?: TokenOptions): Promise<string>;
}

/** For the tests of a file, one gateway at a time with a guard and its members. */
export function useGuardedGateway(): GuardedGateway {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  let started: { readonly running: RunningGateway; readonly echo: EchoInstance } | null = null;
  const used: string[] = [];
  const now = () => {
    if (started === null) throw new Error('start a gateway first');
    return started;
  };
  afterEach(async () => {
    await started?.running.close();
    await started?.echo.close();
    started = null;
  });

  return {
    used,
    get running() {
      return now().running;
    },
    get echo() {
      return now().echo;
    },
    async start(policy, { ports, project = 'demo', sibling, clock = systemClock } = {}) {
      used.length = 0;
      const echo = await startEcho();
      const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'EdDSA' }];
      const guarded = { ...route([target(ports ?? [echo.port])]), project, policy: servicePolicy.parse(policy) };
      const running = await startGateway(
        [
          guarded,
          ...(sibling === undefined ? [] : [{ ...guarded, ...sibling }]),
          route(
            [target([echo.port], { revisionId: 'rev_01890000-0000-7000-8000-000000000009' })],
            'free.demo.localhost',
          ),
        ],
        {
          clock,
          identity: {
            call: (operation: { id: string }, input: { body: { used: string[] } }) => {
              if (operation.id !== 'syncApiKeys') return Promise.resolve({ keys });
              used.push(...input.body.used);
              return Promise.resolve({ version: '1', keys: apiKeys });
            },
          } as never,
        },
      );
      started = { running, echo };
    },
    call(path = '/', options = {}) {
      const { host = 'hello.demo.localhost', headers = {}, method = 'GET', body } = options;
      return new Promise((resolve, reject) => {
        const sent = request(
          { port: now().running.port, host: '127.0.0.1', path, method, headers: { ...headers, host }, agent: false },
          (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (piece: string) => {
              text += piece;
            });
            response.on('error', reject);
            response.on('end', () => {
              const fields = new Headers();
              for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
                fields.append(response.rawHeaders[index] ?? '', response.rawHeaders[index + 1] ?? '');
              }
              const status = response.statusCode ?? 0;
              resolve(new Response(status === 204 ? null : text, { status, headers: fields }));
            });
          },
        );
        sent.once('error', reject);
        sent.end(body);
      });
    },
    token(claims = {}, options = {}) {
      return new SignJWT({ email: 'a@b.test', admin: false, projects: { demo: 'viewer' }, ...claims })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
        .setSubject('usr_1')
        .setIssuer(TOKEN_ISSUER)
        .setAudience(options.audience ?? TOKEN_AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(options.exp ?? '5m')
        .sign(options.key ?? privateKey);
    },
  };
}
