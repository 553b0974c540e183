import { hash, type Options, parseOptions, verify } from '@node-rs/argon2';
import { Problem } from '@skyrun/contracts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const ARGON2ID = 2;
const OPTIONS: Options = { ...COST, algorithm: ARGON2ID };

/** Checked for unknown people, so that the answer takes as long. Made with today's costs; a test holds it to that. */
export const DECOY =
  '$argon2id$v=19$m=19456,t=2,p=1$AubdDGiUQz4eFdQ4R+Pl+g$Y8F/agbN5L7uaNHPZtIzuvyJ5n7LEykqc0Lzlm3btvs';

export interface PasswordLimits {
  /** Hashes computed at once; each takes 19 MiB and a thread of libuv's pool. */
  readonly concurrency: number;
  /** Callers that may wait; more are turned away. */
  readonly waiting: number;
}

export interface Passwords {
  /** Throws `platform.unavailable` when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Runs `attempt` in a slot. Attempts at once are bounded by `concurrency`, so what checks a lock inside the slot
   * cannot be overrun by a burst of parallel guesses.
   */
  inSlot<T>(attempt: (check: PasswordCheck) => Promise<T>): Promise<T>;
}

/** `stored` null stands for an unknown person and takes as long as a known one. */
export type PasswordCheck = (
  stored: string | null,
  password: string,
) => Promise<{ readonly ok: boolean; readonly outdated: boolean }>;

export function createPasswords(limits: PasswordLimits = { concurrency: 3, waiting: 100 }): Passwords {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function slot<T>(work: () => Promise<T>): Promise<T> {
    if (running >= limits.concurrency) {
      if (waiting.length >= limits.waiting) {
        throw new Problem('platform.unavailable', { detail: 'too many sign-ins at once', retryAfterSeconds: 1 });
      }
      // The slot is handed over by the one that ends, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  const check: PasswordCheck = async (stored, password) => {
    const encoded = stored ?? DECOY;
    const matches = await verify(encoded, normalize(password));
    return { ok: matches && stored !== null, outdated: isOutdated(encoded) };
  };

  return {
    hash: (password) => slot(() => hash(normalize(password), OPTIONS)),
    inSlot: (attempt) => slot(() => attempt(check)),
  };
}

/** The same characters typed on another keyboard may come in another composition. */
function normalize(password: string): string {
  return password.normalize('NFKC');
}

/** Whether a stored hash was made with other costs than today's. */
export function isOutdated(encoded: string): boolean {
  const made = parseOptions(encoded);
  return (
    made.algorithm !== ARGON2ID ||
    made.memoryCost !== COST.memoryCost ||
    made.timeCost !== COST.timeCost ||
    made.parallelism !== COST.parallelism
  );
}
