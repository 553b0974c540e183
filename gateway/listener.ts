import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock, Logger } from '@skyrun/kit/base';
import { ClientConnection } from './downstream/connection.ts';
import type { TlsEdge, TlsOptions } from './edge/tls-edge.ts';
import type { ConnectionGate } from './limit/connection-gate.ts';
import type { GatewayCore } from './pipeline/core.ts';
import { createPort } from './port.ts';
import { isTenantHost } from './routing/hosts.ts';
import type { RouteTable } from './routing/route-table.ts';
import type { TeamRoutes } from './team/team-routes.ts';

/** Turns of the event loop that a port is kept open for those who still come, once the gateway stops. */
const MOST_TURNS = 100;

export interface Listener {
  /** Resolves when it listens. Rejects with EADDRINUSE and the like. */
  open(): Promise<void>;
  /** Takes nothing new and lets what runs end, within `drainMs`. */
  drain(): Promise<void>;
  listening(): boolean;
  /** Throws before `open` has resolved. */
  address(): AddressInfo;
  /** Throws where there is no encrypted port. */
  tlsAddress(): AddressInfo;
  /** What an authority's question is answered with; null: it is none. */
  challenge(target: string): string | null;
}

/** The ports of one gateway: the plain one, which clients may speak TLS on too, and one for TLS alone where it is asked for. */
export function createListener(options: {
  readonly core: GatewayCore;
  readonly gate: ConnectionGate;
  readonly table: RouteTable;
  readonly teams: Pick<TeamRoutes, 'find'>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly reusePort: boolean;
  readonly baseDomain: string;
  readonly tls: TlsOptions | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}): Listener {
  const { core, gate, table, teams, host, port, reusePort, baseDomain, tls, clock, logger } = options;
  const plain = createPort({
    host,
    port,
    reusePort,
    socket: { allowHalfOpen: true, noDelay: false },
    onConnection: (socket) => {
      if (gate.admits(socket)) new ClientConnection(core, socket);
    },
  });
  let tlsEdge: TlsEdge | undefined;

  async function startTls(asked: TlsOptions): Promise<void> {
    // Loaded only where it is used: signing and ordering certificates costs twenty megabytes.
    const open = async () => {
      const { openTlsEdge } = await import('./edge/tls-edge.ts');
      const mayIssue = (name: string) =>
        name === baseDomain || table.find(name) !== undefined || teams.find(name) !== undefined;
      // A wildcard's certificate cannot be ordered by a file at the host (RFC 8555 §8.3); its files are the operator's to bring.
      const provedHosts = () =>
        Array.from(table.entries(), ({ route }) => route.host).filter(
          (name) => !name.startsWith('*') && !isTenantHost(name, baseDomain),
        );
      tlsEdge = await openTlsEdge({
        tls: asked,
        core,
        gate,
        host,
        reusePort,
        baseDomain,
        mayIssue,
        provedHosts,
        clock,
        logger,
      });
      core.onEncrypted = tlsEdge.accept;
      return tlsEdge;
    };
    if (neededAtOnce(asked)) {
      await open();
      return;
    }
    let opening: Promise<TlsEdge> | undefined;
    core.onEncrypted = (socket) => {
      opening ??= open();
      opening.then(
        (edge) => edge.accept(socket),
        (error: unknown) => {
          opening = undefined;
          logger.error({ error }, 'encrypted connections cannot be taken');
          socket.destroy();
        },
      );
    };
  }

  /**
   * Whoever lies in the kernel's queue when the port closes is reset, because the queue is this process's alone: so it closes after
   * a turn in which nobody came.
   */
  async function queueIsEmpty(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const before = core.stats.connections;
      await new Promise((resolve) => setImmediate(resolve));
      if (core.stats.connections === before) return;
    }
  }

  async function drain(): Promise<void> {
    core.draining = true;
    for (const connection of core.connections) connection.drain();
    await queueIsEmpty();
    const closed = Promise.all([plain.close(), tlsEdge?.close()]);
    const limit = new AbortController();
    const ended = await Promise.race([
      closed.then(() => true),
      clock.sleep(core.limits.drainMs, limit.signal).then(
        () => false,
        () => true,
      ),
    ]);
    limit.abort();
    if (ended) return;
    logger.warn({ connections: core.connections.size }, 'cutting what did not end in time');
    for (const connection of core.connections) connection.destroy();
  }

  return {
    async open() {
      await plain.open();
      if (tls !== undefined) await startTls(tls);
    },
    drain,
    listening: () => plain.address() !== null,
    address() {
      const address = plain.address();
      if (address === null) throw new Error('the gateway does not listen');
      return address;
    },
    tlsAddress() {
      if (!tlsEdge?.address) throw new Error('the gateway has no encrypted port');
      return tlsEdge.address;
    },
    challenge: (target) => tlsEdge?.challenge(target) ?? null,
  };
}

/** A port and an authority's questions are served from the start, and so is what clients must know beforehand: whom to trust. */
function neededAtOnce({ port, acme, developmentDir }: TlsOptions): boolean {
  return port !== null || acme !== null || (developmentDir !== null && !existsSync(join(developmentDir, 'ca.crt')));
}
