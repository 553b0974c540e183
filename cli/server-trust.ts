import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { UsageError } from './command.ts';
import type { ServerTrust } from './kubeconfig.ts';

const CONNECT_MS = 5000;

/**
 * Asks a server for its certificate. Where the system does not trust it, its own authority is believed from now on, as one does
 * on first use: whoever answers here has also been given the password.
 * @throws UsageError where it does not speak TLS
 */
export function readServerTrust(url: URL): Promise<ServerTrust> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 443 : Number(url.port);
  return new Promise((resolve, reject) => {
    const refuse = (why: string) =>
      reject(
        new UsageError(
          `${url.host} does not speak TLS (${why}), and kubectl sends credentials over nothing else; give --server https://…`,
        ),
      );
    // Checked below: the answer decides what is trusted, and nothing is sent.
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: CONNECT_MS, ...name });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', (error) => refuse(error.message));
    socket.once('secureConnect', () => {
      const chain = chainOf(socket.getPeerCertificate(true));
      const trusted = socket.authorized;
      socket.destroy();
      const [leaf] = chain;
      const root = chain.at(-1);
      if (leaf === undefined || root === undefined) return refuse('no certificate');
      const covered = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
      resolve({
        authority: trusted ? null : root.toString(),
        serverName: covered === undefined ? (firstName(leaf) ?? null) : null,
      });
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at: DetailedPeerCertificate | undefined = leaf;
  const seen = new Set<string>();
  while (at?.raw !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate;
  }
  return chain;
}

function firstName(leaf: X509Certificate): string | undefined {
  return /DNS:([^,\s]+)/.exec(leaf.subjectAltName ?? '')?.[1];
}
