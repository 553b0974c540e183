import type { Logger } from '@skyrun/kit';
import { z } from 'zod';
import { toRuntimeError } from '../docker/errors.ts';
import type { Engines } from './engines.ts';

/** What an engine says of itself that matters to what its processes may gain. */
const engineFacts = z.object({ ApiVersion: z.string() });
const engineInfo = z.object({ SecurityOptions: z.array(z.string()).nullish() });

/** Engine 25.0: a service's `Privileges` have `NoNewPrivileges` from here on. */
const ASKED_FROM = [1, 44] as const;

export function canAsk(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number);
  return major > ASKED_FROM[0] || (major === ASKED_FROM[0] && minor >= ASKED_FROM[1]);
}

/** Whether a daemon lets no process gain privileges, whatever a service asks for. */
export function always(securityOptions: readonly string[]): boolean {
  return securityOptions.some((option) => /^(name=)?no-new-privileges(,|$)/.test(option));
}

export interface Privileges {
  /** Whether the manager takes the wish; where it does not, it is said once which engines should be started differently. */
  canBeAsked(): Promise<boolean>;
}

/** Older engines take no such wish per service: their daemons must be started with `--no-new-privileges`. */
export function createPrivileges(engines: Pick<Engines, 'manager' | 'all'>, logger: Logger): Privileges {
  let known: Promise<boolean> | null = null;

  async function find(): Promise<boolean> {
    const asked = canAsk(engineFacts.parse(await engines.manager.version()).ApiVersion);
    const seen = await Promise.all(
      engines.all.map(async (docker) => {
        // One that does not answer now is not the manager's concern: it gets no task either.
        const info = await docker.info().catch(() => null);
        const version = await docker.version().catch(() => null);
        if (info === null || version === null) return true;
        const { SecurityOptions: options } = engineInfo.parse(info);
        return always(options ?? []) || (asked && canAsk(engineFacts.parse(version).ApiVersion));
      }),
    );
    const open = seen.filter((safe) => !safe).length;
    if (open > 0) {
      logger.warn(
        { engines: open },
        'processes of instances may gain privileges by setuid programs: start dockerd with --no-new-privileges, or use Docker Engine 25 or newer',
      );
    }
    return asked;
  }

  return {
    async canBeAsked() {
      known ??= find();
      try {
        return await known;
      } catch (error) {
        known = null;
        throw toRuntimeError(error, 'unavailable');
      }
    },
  };
}
