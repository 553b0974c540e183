import { Problem } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger } from '@skyrun/kit';
import { type AddressPolicy, ForbiddenAddressError, permittedAddresses } from '../push/address.ts';
import { createSender } from '../push/sender.ts';
import type { Outcome } from '../push/verdict.ts';
import type { Registrations } from './registrations.ts';

const LOOK_MS = 1_000;
/** A copy is asked so often. */
const PROBE_MS = 5_000;
const TIMEOUT_MS = 3_000;
/** Asked at once. */
const BATCH = 20;

export interface HealthOptions {
  readonly registrations: Registrations;
  readonly addresses: AddressPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks the copies that gave a health URL how they are. Several replicas share the work by who comes first. */
export function createHealthChecks({ registrations, addresses, clock, logger }: HealthOptions) {
  const sender = createSender({ ...addresses, clock, timeoutMs: TIMEOUT_MS });
  const ticker = createTicker({
    name: 'registration-health',
    clock,
    logger,
    everyMs: LOOK_MS,
    async run(signal) {
      const due = await registrations.dueForProbe(clock.now() - PROBE_MS, BATCH);
      await Promise.all(
        due.map(async (target) => registrations.probed(target, healthOf(await sender.probe(target.url, signal)))),
      );
    },
  });
  return {
    /** @throws Problem `request.invalid` for a place that may not be called */
    async requireAllowed(healthUrl: string): Promise<void> {
      const { hostname, username, password } = new URL(healthUrl);
      if (username !== '' || password !== '') refuse('must have no credentials');
      try {
        await permittedAddresses(hostname, addresses);
      } catch (error) {
        if (error instanceof ForbiddenAddressError)
          refuse(`${error.message}; the operator may allow it with SKYRUN_WEBHOOK_ALLOW_PRIVATE`);
        refuse(`${hostname} has no address`);
      }
    },
    start: () => ticker.start(),
    async stop() {
      await ticker.stop();
      sender.close();
    },
  };
}

export type HealthChecks = ReturnType<typeof createHealthChecks>;

/** 2xx is healthy, 429 and 503 say that it is there but not well, everything else is unhealthy. */
export function healthOf(outcome: Outcome): { health: 'healthy' | 'degraded' | 'unhealthy'; message: string } {
  if (outcome.kind !== 'answered') return { health: 'unhealthy', message: `its health URL: ${outcome.error}` };
  const { status } = outcome;
  if (status >= 200 && status < 300) return { health: 'healthy', message: '' };
  return {
    health: status === 429 || status === 503 ? 'degraded' : 'unhealthy',
    message: `its health URL answers ${status}`,
  };
}

function refuse(message: string): never {
  throw new Problem('request.invalid', {
    detail: `/healthUrl: ${message}`,
    errors: [{ field: '/healthUrl', message }],
  });
}
