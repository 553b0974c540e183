import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route } from '@skyrun/contracts';
import type { GatewayDeps } from '../app.ts';
import { type RunningGateway, startGateway } from './gateway.ts';

export interface TlsGateway {
  readonly running: RunningGateway;
  /** Of the plain port. */
  readonly port: number;
  readonly tlsPort: number;
  readonly ca: string;
  /** Where its development authority is kept. */
  readonly developmentDir: string;
  /** A client's HTTP/2 connection to a host of the gateway. */
  open(host?: string): ClientHttp2Session;
  close(): Promise<void>;
}

/** A gateway with an encrypted port beside the plain one. */
export async function startTlsGateway(
  routes: readonly Route[],
  overrides: Partial<GatewayDeps> = {},
): Promise<TlsGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-tls-'));
  const certificateDir = join(directory, 'certificates');
  const developmentDir = join(directory, 'development');
  const running = await startGateway(routes, {
    ...overrides,
    tls: { port: 0, certificateDir, developmentDir, acme: null },
  });
  const ca = await readFile(join(developmentDir, 'ca.crt'), 'utf8');
  const tlsPort = running.gateway.tlsAddress().port;
  return {
    running,
    port: running.port,
    tlsPort,
    ca,
    developmentDir,
    open(host = 'hello.demo.localhost') {
      const session = connect(`https://${host}:${tlsPort}`, { ca, servername: host, lookup: thisMachine });
      session.on('error', () => undefined);
      return session;
    },
    async close() {
      await running.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Every name is this machine. */
export const thisMachine: LookupFunction = (_host, options, done) => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
