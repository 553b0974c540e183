export interface KeyState {
  readonly kid: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** False when the configured secret does not open the private key. */
  readonly usable: boolean;
}

export interface KeyPolicy {
  /** A key older than this gets a successor. */
  readonly rotateEveryMs: number;
  /** A new key is published for so long before it signs, so that every replica and verifier has seen it. */
  readonly activationMs: number;
  /** A key that signs no more is published for so long, until its last token has expired. */
  readonly retireAfterMs: number;
}

export interface KeyPlan {
  readonly create: boolean;
  /** Null when there is no usable key yet. */
  readonly sign: string | null;
  readonly remove: readonly string[];
}

/**
 *   published ──activationMs──► signs ──successor signs──► published ──retireAfterMs──► removed
 *
 * The very first key signs at once, as nobody can hold an older one.
 */
export function planKeys(keys: readonly KeyState[], now: number, policy: KeyPolicy): KeyPlan {
  const usable = keys.filter((key) => key.usable).sort((a, b) => a.createdAt - b.createdAt);
  const newest = usable.at(-1);
  const active = usable.filter((key) => key.createdAt <= now - policy.activationMs).at(-1) ?? usable[0];
  const remove = keys
    .filter((key) => {
      const successor = usable.find((other) => other.createdAt > key.createdAt);
      return successor !== undefined && successor.createdAt + policy.activationMs + policy.retireAfterMs <= now;
    })
    .map((key) => key.kid);
  return {
    create: newest === undefined || newest.createdAt + policy.rotateEveryMs <= now,
    sign: active?.kid ?? null,
    remove,
  };
}
