import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const installation = z.object({
  /** Marks what belongs to this installation on a shared Docker Engine. */
  id: z.string(),
  internalToken: z.string(),
  keySecret: z.string(),
  adminEmail: z.string(),
  adminPassword: z.string(),
  postgresPassword: z.string(),
  redisPassword: z.string(),
  rabbitmqPassword: z.string(),
  erlangCookie: z.string(),
});

/** The identity and secrets of one installation, made once. */
export type Installation = z.infer<typeof installation>;

export function readInstallation(file: string): Installation | null {
  return existsSync(file) ? installation.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}

/** Read the installation's secrets, making them at the first start. Two first starts at once agree on one set. */
export function openInstallation(file: string): Installation {
  const known = readInstallation(file);
  if (known !== null) return known;
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify(newInstallation(), null, 2)}\n`, { mode: 0o600, flush: true });
  try {
    // Unlike rename, link does not replace: whoever comes second takes what the first has made.
    linkSync(partial, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(partial);
  }
  return installation.parse(JSON.parse(readFileSync(file, 'utf8')));
}

function newInstallation(): Installation {
  const secret = (bytes: number): string => randomBytes(bytes).toString('hex');
  return {
    id: secret(6),
    internalToken: secret(32),
    keySecret: secret(32),
    adminEmail: 'admin@skyrun.local',
    // Typed by a person once: no characters that look alike.
    adminPassword: readable(16),
    postgresPassword: secret(24),
    redisPassword: secret(24),
    rabbitmqPassword: secret(24),
    erlangCookie: secret(24),
  };
}

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

function readable(length: number): string {
  // 248 is the largest multiple of the alphabet's 31 letters in a byte: above it, a letter would be likelier than another.
  const letters: string[] = [];
  while (letters.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && letters.length < length) letters.push(LETTERS.charAt(byte % LETTERS.length));
    }
  }
  return letters.join('');
}
