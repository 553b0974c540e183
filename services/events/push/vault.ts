import { createSeal } from '@skyrun/kit';
import type { Secret } from './records.ts';

const SEALED = 'sealed:';

/** Keeps the signing secrets of subscriptions encrypted in the database; each opens only for the subscription it was made for. */
export interface Vault {
  keep(secret: Secret, subscriptionId: string): Secret;
  /** Null when the key secret is another one than it was kept under. */
  open(secret: Secret, subscriptionId: string): string | null;
}

export function createVault(keySecret: string): Vault {
  const seal = createSeal(keySecret, 'skyrun webhook secrets');
  return {
    keep({ value, createdAt }, subscriptionId) {
      if (value.startsWith(SEALED)) return { value, createdAt };
      const sealed = seal.seal(Buffer.from(value), subscriptionId);
      return { value: `${SEALED}${sealed.toString('base64')}`, createdAt };
    },
    open({ value }, subscriptionId) {
      // From before secrets were sealed; a start seals them.
      if (!value.startsWith(SEALED)) return value;
      const opened = seal.open(Buffer.from(value.slice(SEALED.length), 'base64'), subscriptionId);
      return opened?.toString() ?? null;
    },
  };
}
