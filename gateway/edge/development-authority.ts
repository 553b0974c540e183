import { webcrypto } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Clock } from '@skyrun/kit';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Clients refuse server certificates that live longer than this. */
const LEAF_DAYS = 397;

export interface KeyPair {
  /** PEM; the leaf first. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * Signs certificates for development, so that https works without anybody's help. Its own certificate lies in
 * `directory` as `ca.crt`: whoever trusts that file trusts every host of this installation. The key beside it is
 * readable by its owner only.
 */
export interface DevelopmentAuthority {
  /** PEM of the authority's own certificate. */
  readonly certificate: string;
  /** A certificate for one host name or address. */
  issue(host: string): Promise<KeyPair>;
}

export async function openDevelopmentAuthority(directory: string, clock: Clock): Promise<DevelopmentAuthority> {
  const known = await readAuthority(directory);
  const authority = known ?? (await createAuthority(directory, clock));
  const certificate = new X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  return {
    certificate: authority.certificate,
    async issue(host) {
      const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const leaf = await X509CertificateGenerator.create({
        serialNumber: serial(),
        // A common name holds at most 64 characters; who checks a host looks at the alternative name only.
        subject: 'CN=Skyrun development',
        issuer: certificate.subject,
        notBefore: new Date(clock.now() - DAY_MS),
        notAfter: new Date(clock.now() + LEAF_DAYS * DAY_MS),
        signingAlgorithm: ALGORITHM,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          new SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]),
        ],
      });
      return {
        certificate: `${leaf.toString('pem')}\n${authority.certificate}`,
        key: await exportKey(keys.privateKey),
      };
    },
  };
}

async function readAuthority(directory: string): Promise<KeyPair | null> {
  try {
    const [certificate, key] = await Promise.all([
      readFile(join(directory, 'ca.crt'), 'utf8'),
      readFile(join(directory, 'ca.key'), 'utf8'),
    ]);
    return { certificate, key };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function createAuthority(directory: string, clock: Clock): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Skyrun development authority',
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const pair = { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  await mkdir(dirname(directory), { recursive: true });
  const draft = await mkdtemp(`${directory}.`);
  await writeFile(join(draft, 'ca.crt'), pair.certificate, { mode: 0o644 });
  await writeFile(join(draft, 'ca.key'), pair.key, { mode: 0o600 });
  try {
    // Several gateways share the directory and may start at once: one rename wins, and all read what won.
    await rename(draft, directory);
    return pair;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const won = await readAuthority(directory);
    if (won === null) throw error;
    return won;
  }
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // RFC 5280 §4.1.2.2: positive.
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString('hex');
}
