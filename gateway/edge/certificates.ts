import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock, Logger } from '@skyrun/kit';
import { wildcardOf } from '../routing/hosts.ts';
import type { DevelopmentAuthority, KeyPair } from './development-authority.ts';

const LOOK_EVERY_MS = 2000;
/** Development certificates kept in memory; the one least lately made goes first. */
const MAX_ISSUED = 1000;

interface Loaded {
  readonly name: string;
  readonly stamp: string;
  readonly hosts: readonly string[];
  readonly pair: KeyPair;
  readonly context: SecureContext;
}

export interface CertificatesOptions {
  /** Pairs `NAME.crt` and `NAME.key`, PEM. Read again when one changes; connections go on. */
  readonly directory: string;
  /** Issues for hosts that no file covers; null: such a handshake fails. */
  readonly authority: DevelopmentAuthority | null;
  /** Whether a host may have a development certificate: only names that lead somewhere. */
  readonly mayIssue: (host: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Which certificate a handshake gets: the exact host, then a wildcard one label up, then one for development. */
export class Certificates {
  #options: CertificatesOptions;
  #loaded = new Map<string, Loaded>();
  #byHost = new Map<string, SecureContext>();
  #issued = new Map<string, Promise<SecureContext>>();
  #cancel: () => void = () => undefined;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#look();
    const again = () => {
      this.#cancel = this.#options.clock.setTimeout(LOOK_EVERY_MS, () => {
        this.#look().then(again, (error: unknown) => {
          this.#options.logger.error({ error }, 'cannot read the certificates; the last ones stay');
          again();
        });
      });
    };
    again();
  }

  stop(): void {
    this.#cancel();
  }

  /** How many hosts the files cover. */
  get size(): number {
    return this.#byHost.size;
  }

  /** Null where no certificate fits. */
  async find(servername: string): Promise<SecureContext | null> {
    const host = servername.toLowerCase();
    const known = this.#byHost.get(host) ?? this.#byHost.get(wildcardOf(host));
    if (known !== undefined) return known;
    const { authority, mayIssue } = this.#options;
    if (authority === null || !mayIssue(host)) return null;
    let issued = this.#issued.get(host);
    if (issued === undefined) {
      issued = authority.issue(host).then(contextOf);
      this.#issued.set(host, issued);
      issued.catch(() => this.#issued.delete(host));
      if (this.#issued.size > MAX_ISSUED) {
        const [oldest] = this.#issued.keys();
        if (oldest !== undefined) this.#issued.delete(oldest);
      }
    }
    return issued;
  }

  /** For clients that name no host, such as those that connect to an address. Null where there is none. */
  async fallback(host: string): Promise<KeyPair | null> {
    const [first] = this.#loaded.values();
    return first?.pair ?? (await this.#options.authority?.issue(host)) ?? null;
  }

  /** Reads the directory now, e.g. after a certificate was ordered. */
  async reload(): Promise<void> {
    await this.#look();
  }

  async #look(): Promise<void> {
    const { directory, logger } = this.#options;
    const names = await certificateNames(directory);
    let changed = false;
    for (const name of this.#loaded.keys()) {
      if (names.includes(name)) continue;
      this.#loaded.delete(name);
      changed = true;
    }
    for (const name of names) {
      const paths = [join(directory, `${name}.crt`), join(directory, `${name}.key`)] as const;
      try {
        const stamp = (await Promise.all(paths.map((path) => stat(path)))).map((s) => `${s.mtimeMs}:${s.size}`).join();
        if (this.#loaded.get(name)?.stamp === stamp) continue;
        const [certificate, key] = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
        const pair = { certificate: certificate ?? '', key: key ?? '' };
        const leaf = new X509Certificate(pair.certificate);
        this.#loaded.set(name, { name, stamp, hosts: hostsOf(leaf), pair, context: contextOf(pair) });
        changed = true;
        logger.info({ name, hosts: hostsOf(leaf), until: leaf.validTo }, 'certificate loaded');
      } catch (error) {
        // A pair is replaced in two steps, so one half may be new; the last whole pair stays in force.
        logger.warn({ name, error: (error as Error).message }, 'cannot use this certificate; is its key beside it?');
      }
    }
    if (!changed) return;
    const byHost = new Map<string, SecureContext>();
    for (const { hosts, context } of this.#loaded.values()) for (const host of hosts) byHost.set(host, context);
    this.#byHost = byHost;
  }
}

async function certificateNames(directory: string): Promise<string[]> {
  try {
    const files = await readdir(directory);
    return files
      .filter((file) => file.endsWith('.crt'))
      .map((file) => file.slice(0, -4))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function hostsOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName ?? '';
  return [...names.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase());
}

function contextOf(pair: KeyPair): SecureContext {
  return createSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' });
}
