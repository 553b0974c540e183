import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger } from '@skyrun/kit';

/** How the others find this copy of the service. */
export interface Presence {
  readonly name: string;
  /** e.g. `http://10.1.2.3:8080`. */
  readonly address: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Asked by Skyrun; without one, being alive counts as healthy. */
  readonly healthUrl?: string;
  /** Gone without a heartbeat for so long; 30 by default. */
  readonly ttlSeconds?: number;
}

export interface PresenceOptions {
  readonly client: Client;
  readonly project: string;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Registers this copy, says three times in each time to live that it is there, and takes itself back at the end. */
export function keepPresent({ client, project, presence, clock, logger }: PresenceOptions) {
  const { metadata, ttlSeconds = 30, ...rest } = presence;
  let id: string | undefined;

  async function say(): Promise<void> {
    if (id !== undefined) {
      const params = { project, registration: id };
      try {
        await client.call(OPERATIONS.heartbeatTeamService, { params, body: {} });
        return;
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'resource.not_found')) throw error;
      }
    }
    const body = { ...rest, ttlSeconds, ...(metadata === undefined ? {} : { metadata: { ...metadata } }) };
    ({ id } = await client.call(OPERATIONS.registerTeamService, { params: { project }, body }));
  }

  const ticker = createTicker({ name: 'presence', clock, logger, everyMs: (ttlSeconds * 1000) / 3, run: say });
  return {
    /** @throws Problem when the registry refuses it, e.g. for a health URL that may not be called */
    async start(): Promise<void> {
      await say();
      ticker.start();
    },
    async stop(): Promise<void> {
      await ticker.stop();
      if (id === undefined) return;
      const params = { project, registration: id };
      id = undefined;
      await client.call(OPERATIONS.deregisterTeamService, { params }).catch((error: unknown) => {
        // It expires by itself.
        logger.warn({ error }, 'the registration was not taken back');
      });
    },
  };
}
