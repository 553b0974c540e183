import type { AddressInfo, Socket } from 'node:net';
import type { Clock, Logger } from '@skyrun/kit';
import type { ConnectionGate } from '../limit/connection-gate.ts';
import type { GatewayCore } from '../pipeline/core.ts';
import { createPort } from '../port.ts';
import { Acme } from './acme.ts';
import { Certificates } from './certificates.ts';
import { openDevelopmentAuthority } from './development-authority.ts';
import { createTlsAcceptor } from './tls-acceptor.ts';

export interface TlsOptions {
  /** A port for TLS alone; 0 picks a free one, null: only the plain port, where clients may begin with TLS too. */
  readonly port: number | null;
  /** `NAME.crt` and `NAME.key`, read again when they change. */
  readonly certificateDir: string;
  /** Issue certificates for development where no file fits; their authority's own is `ca.crt` in this directory. */
  readonly developmentDir: string | null;
  readonly acme: AcmeAuthority | null;
}

/** Orders certificates for `hosts`, over plain HTTP on the gateway's other port. */
export interface AcmeAuthority {
  readonly directoryUrl: string;
  readonly email: string | null;
  /** PEM that the directory's own certificate is checked against; null: as the system does. */
  readonly trust: string | null;
  readonly hosts: readonly string[];
}

export interface TlsEdge {
  /** Takes a connection that another port accepted and nobody has read from. */
  accept(socket: Socket): void;
  /** Null where there is no port for TLS alone. */
  readonly address: AddressInfo | null;
  /** The answer to a certificate authority's question, or null where the target is none. */
  challenge(target: string): string | null;
  /** Takes nothing new; resolves when the last connection has ended. */
  close(): Promise<void>;
}

/** Everything of a gateway that is about encryption. Rejects with EADDRINUSE and the like. */
export async function openTlsEdge(options: {
  tls: TlsOptions;
  core: GatewayCore;
  gate: ConnectionGate;
  host: string;
  reusePort: boolean;
  /** The platform's own host, for clients that name none. */
  baseDomain: string;
  mayIssue: (host: string) => boolean;
  /** Hosts that tenants have proved to be theirs: certificates are ordered for them too. */
  provedHosts: () => readonly string[];
  clock: Clock;
  logger: Logger;
}): Promise<TlsEdge> {
  const { tls, core, gate, host, reusePort, baseDomain, mayIssue, provedHosts, clock, logger } = options;
  const authority = tls.developmentDir === null ? null : await openDevelopmentAuthority(tls.developmentDir, clock);
  const certificates = new Certificates({ directory: tls.certificateDir, authority, mayIssue, clock, logger });
  await certificates.start();
  const accept = createTlsAcceptor(core, { gate, certificates, fallback: await certificates.fallback(baseDomain) });
  const { acme: from } = tls;
  const acme =
    from === null
      ? null
      : new Acme({
          ...from,
          hosts: () => [...new Set([...from.hosts, ...provedHosts()])],
          directory: tls.certificateDir,
          onIssued: () => certificates.reload(),
          clock,
          logger,
        });
  await acme?.start();
  const port =
    tls.port === null
      ? null
      : createPort({
          host,
          port: tls.port,
          reusePort,
          socket: { allowHalfOpen: false, noDelay: true },
          onConnection: accept,
        });
  return {
    address: port === null ? null : await port.open(),
    accept,
    challenge: (target) => acme?.challenge(target) ?? null,
    async close() {
      certificates.stop();
      await Promise.all([port?.close(), acme?.stop()]);
    },
  };
}
