import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import type { Clock, Logger } from '@skyrun/kit';
import { axios, Client, crypto } from 'acme-client';

const PREFIX = '/.well-known/acme-challenge/';
const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;
const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 60_000;
/** A third of the usual ninety days: time for a fortnight of failures, as Let's Encrypt advises. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** A host that fails is tried again after this, doubled each time: authorities allow five failures an hour. */
const RETRY_MIN_MS = 15 * 60_000;
const RETRY_MAX_MS = DAY_MS;
/** A gateway that orders touches its lock before each host; an older one was left behind. */
const LOCK_STALE_MS = 5 * LOOK_EVERY_MS;

export interface AcmeOptions {
  readonly directoryUrl: string;
  readonly email: string | null;
  /** PEM that the directory's own certificate is checked against, for a private authority. */
  readonly trust: string | null;
  /** Hosts that want a certificate. */
  readonly hosts: () => readonly string[];
  /** Where `HOST.crt` and `HOST.key` go; the account and pending challenges lie below it. Shared by all gateways. */
  readonly directory: string;
  /** New certificates lie in `directory`. */
  readonly onIssued: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Orders certificates by ACME (RFC 8555) and renews them thirty days before they end. The authority asks for a file
 * over plain HTTP at the host (HTTP-01, §8.3); any gateway of this machine answers, from the shared directory.
 */
export class Acme {
  #options: AcmeOptions;
  #challenges: string;
  #failures = new Map<string, { count: number; until: number }>();
  #cancel: () => void = () => undefined;
  #stopped = false;
  #ordering: Promise<void> = Promise.resolve();
  #client: Client | undefined;

  constructor(options: AcmeOptions) {
    this.#options = options;
    this.#challenges = join(options.directory, 'acme', 'challenges');
  }

  async start(): Promise<void> {
    await mkdir(this.#challenges, { recursive: true });
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#ordering;
  }

  /** The answer to an authority's question, or null where the target is none or nothing was asked. */
  challenge(target: string): string | null {
    if (!target.startsWith(PREFIX)) return null;
    const token = target.slice(PREFIX.length);
    if (!TOKEN.test(token)) return null;
    try {
      return readFileSync(join(this.#challenges, token), 'utf8');
    } catch (error) {
      // A request asks this; whatever is wrong with the file (too many are open, say), the gateway lives on.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#options.logger.error({ error: (error as Error).message }, 'cannot read the answer to an authority');
      }
      return null;
    }
  }

  #look(): void {
    const { clock, logger } = this.#options;
    this.#ordering = this.#orderAll()
      .catch((error: Error) => logger.error({ error: error.message }, 'cannot order certificates'))
      .then(() => {
        if (!this.#stopped) this.#cancel = clock.setTimeout(LOOK_EVERY_MS, () => this.#look());
      });
  }

  async #orderAll(): Promise<void> {
    const { hosts, clock, logger } = this.#options;
    const now = clock.now();
    const due: string[] = [];
    for (const host of hosts()) {
      if ((this.#failures.get(host)?.until ?? 0) <= now && (await this.#isDue(host, now))) due.push(host);
    }
    if (due.length === 0 || !(await this.#lock(now))) return;
    try {
      for (const host of due) {
        if (this.#stopped) return;
        await this.#keepLock();
        try {
          await this.#order(host);
          this.#failures.delete(host);
          logger.info({ host }, 'certificate ordered');
        } catch (error) {
          const count = (this.#failures.get(host)?.count ?? 0) + 1;
          const wait = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (count - 1));
          this.#failures.set(host, { count, until: now + wait });
          const reason = (error as Error).message;
          logger.error({ host, error: reason, retryMs: wait }, 'the authority issued no certificate');
        }
      }
    } finally {
      await rm(this.#lockPath(), { force: true });
    }
  }

  async #isDue(host: string, now: number): Promise<boolean> {
    try {
      const certificate = new X509Certificate(await readFile(join(this.#options.directory, `${host}.crt`)));
      return Date.parse(certificate.validTo) - now < RENEW_BEFORE_MS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      throw error;
    }
  }

  async #order(host: string): Promise<void> {
    const { directory, email } = this.#options;
    const client = await this.#open();
    const key = await crypto.createPrivateEcdsaKey();
    const [, request] = await crypto.createCsr({ altNames: [host] }, key);
    const certificate = await client.auto({
      csr: request,
      termsOfServiceAgreed: true,
      ...(email === null ? {} : { email }),
      challengePriority: ['http-01'],
      // The authority looks for itself; from here the host may well not be reachable by its public address.
      skipChallengeVerification: true,
      challengeCreateFn: async (_authorization, challenge, answer) => {
        await writeWhole(join(this.#challenges, challenge.token), answer, 0o600);
      },
      challengeRemoveFn: async (_authorization, challenge) => {
        await rm(join(this.#challenges, challenge.token), { force: true });
      },
    });
    await writeWhole(join(directory, `${host}.key`), key.toString(), 0o600);
    await writeWhole(join(directory, `${host}.crt`), certificate, 0o644);
    await this.#options.onIssued();
  }

  async #open(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const { directoryUrl, trust } = this.#options;
    if (trust !== null) axios.defaults.httpsAgent = new Agent({ ca: trust });
    this.#client = new Client({ directoryUrl, accountKey: await this.#accountKey() });
    return this.#client;
  }

  async #accountKey(): Promise<string> {
    const path = join(this.#options.directory, 'acme', 'account.key');
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const key = (await crypto.createPrivateEcdsaKey()).toString();
      await writeWhole(path, key, 0o600);
      return key;
    }
  }

  #lockPath(): string {
    return join(this.#options.directory, 'acme', 'lock');
  }

  async #keepLock(): Promise<void> {
    const now = new Date(this.#options.clock.now());
    await utimes(this.#lockPath(), now, now);
  }

  /** Gateways of one machine take turns, so that no certificate is ordered twice. */
  async #lock(now: number): Promise<boolean> {
    const path = this.#lockPath();
    try {
      await (await open(path, 'wx')).close();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const stale = now - (await stat(path)).mtimeMs > LOCK_STALE_MS;
      if (stale) await rm(path, { force: true });
      return false;
    }
  }
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
