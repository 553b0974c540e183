import type { AnyEvent } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger, newId } from '@skyrun/kit/base';
import type { Destination, Instance } from '../pipeline/destination.ts';

export interface NewsPublisher {
  publish(events: readonly AnyEvent[]): Promise<void>;
}

/**
 * Publishes that breakers open and close. Once and without waiting: the state itself is in the metrics and on the admin
 * port, and a broker that is away must not hold requests up.
 */
export class BreakerNews {
  #gateway: string;
  #bus: NewsPublisher;
  #clock: Clock;
  #logger: Logger;
  #sequences = new Map<string, number>();
  /** What opened each breaker, for when it closes. */
  #reasons = new WeakMap<Instance, 'refused' | 'failing'>();

  constructor(options: { gateway: string; bus: NewsPublisher; clock: Clock; logger: Logger }) {
    this.#gateway = options.gateway;
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  tell(destination: Destination, instance: Instance, open: boolean): void {
    const { revision } = destination;
    if (revision === null) return;
    const reason = open
      ? instance.breaker.refused
        ? 'refused'
        : 'failing'
      : (this.#reasons.get(instance) ?? 'failing');
    this.#reasons.set(instance, reason);
    const { project, service, serviceId, revisionId, revisionName } = revision;
    const subject = `gateways/${this.#gateway}/instances/${instance.id}`;
    const now = this.#clock.now();
    // The time goes on over restarts of the gateway, and so does the sequence.
    const sequence = Math.max(Math.floor(now), (this.#sequences.get(subject) ?? 0) + 1);
    if (open) this.#sequences.set(subject, sequence);
    else this.#sequences.delete(subject);
    const event: AnyEvent = {
      specversion: '1.0',
      id: newId('event', this.#clock),
      source: `/skyrun/gateway/${this.#gateway}`,
      type: open ? 'skyrun.instance.ejected.v1' : 'skyrun.instance.admitted.v1',
      subject,
      time: isoTime(now),
      datacontenttype: 'application/json',
      sequence,
      project,
      data: {
        project,
        service,
        serviceId,
        revisionId,
        revisionName,
        gateway: this.#gateway,
        instanceId: instance.id,
        reason,
      },
    };
    this.#logger.info(
      { service, project, instance: instance.id, reason },
      open ? 'instance ejected' : 'instance admitted',
    );
    this.#bus.publish([event]).catch((error: Error) => {
      this.#logger.debug({ error: error.message }, 'could not tell that a breaker changed');
    });
  }
}
