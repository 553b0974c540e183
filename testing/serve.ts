import { Problem } from '@skyrun/contracts';
import {
  type Authenticator,
  type Clock,
  createHttpServer,
  createMetrics,
  createTokenAuthenticator,
  type ServiceModule,
  silentLogger,
  systemClock,
} from '@skyrun/kit';

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServedParts {
  readonly modules: readonly ServiceModule[];
  readonly authenticator: Authenticator;
}

/** Listens on a free port, then starts the modules in order. `url` may be asked once it listens. */
export async function serve(create: (url: () => string) => ServedParts, clock: Clock = systemClock): Promise<Served> {
  let url = '';
  const { modules, authenticator } = create(() => url);
  const http = createHttpServer({
    modules,
    authenticator,
    logger: silentLogger,
    clock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  const { port } = await http.listen();
  url = `http://127.0.0.1:${port}`;
  for (const module of modules) await module.start();
  return {
    url,
    async stop() {
      const closed = http.close(500);
      for (const module of modules) {
        await module.stop();
        await module.stop();
      }
      await closed;
    },
  };
}

/** Verifies the tokens of an identity service whose address is not known yet: it may be the one that is asked. */
export function tokensOf(url: () => string, internalToken: string, clock: Clock = systemClock): Authenticator {
  let made: Authenticator | undefined;
  const real = () => {
    made ??= createTokenAuthenticator({ identityUrl: url(), internalToken, clock });
    return made;
  };
  return {
    authenticate: (headers) => real().authenticate(headers),
    can: (caller, permission, project) => real().can(caller, permission, project),
  };
}

/** @throws Error when `check` does not hold within `limitMs` */
export async function until(check: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  const end = systemClock.monotonic() + limitMs;
  while (systemClock.monotonic() < end) {
    if (await check()) return;
    await systemClock.sleep(25);
  }
  throw new Error(`it did not happen within ${limitMs} ms`);
}

/** The problem that it ends with. */
export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('expected a problem');
}
