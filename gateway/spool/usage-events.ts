import type { AnyEvent, UsageRecorded } from '@skyrun/contracts';
import { type Clock, isoTime, newId } from '@skyrun/kit/base';
import type { WindowUsage } from '../meter/meter.ts';

/**
 * Numbers and names the events of one run of one gateway. Usage keys are
 * `<gatewayId>/<epoch>/<revision>/<instance>/<windowStart>`; the epoch changes with each run and each time the clock
 * was set, so that a key never comes twice for different usage.
 */
export class UsageEvents {
  #gateway: string;
  #epoch: string;
  #clock: Clock;
  #startedAt: number;
  #sequences = new Map<string, number>();

  constructor(options: { gateway: string; epoch: string; clock: Clock }) {
    this.#gateway = options.gateway;
    this.#epoch = options.epoch;
    this.#clock = options.clock;
    this.#startedAt = Math.floor(options.clock.now());
  }

  recorded(usage: WindowUsage): AnyEvent {
    const { project, service, serviceId, revisionId, revisionName, billingMode, cpuMilli, memoryMib } = usage.revision;
    const data: UsageRecorded = {
      key: `${this.#gateway}/${this.#epoch}.${usage.clockRun}/${revisionId}/${usage.instanceId || '-'}/${usage.windowStart}`,
      kind: 'requests',
      project,
      service,
      serviceId,
      revisionId,
      revisionName,
      instanceId: usage.instanceId,
      windowStart: isoTime(usage.windowStart),
      windowEnd: isoTime(usage.windowEnd),
      billingMode,
      cpuMilli,
      memoryMib,
      requests: usage.requests,
      bytesIn: usage.bytesIn,
      bytesOut: usage.bytesOut,
      busy: usage.busy,
      busyMs: usage.busyMs,
      statusClasses: usage.statusClasses,
      minInstance: false,
      state: 'running',
    };
    return { ...this.#envelope(`services/${project}/${service}`), type: 'skyrun.usage.recorded.v1', project, data };
  }

  lost(from: number, until: number): AnyEvent {
    return {
      ...this.#envelope(`gateways/${this.#gateway}`),
      id: `lost/${this.#gateway}/${from}`,
      type: 'skyrun.usage.lost.v1',
      data: { gateway: this.#gateway, from: isoTime(from), until: isoTime(until) },
    };
  }

  #envelope(subject: string) {
    // Counts on from the start's time: above every number that an earlier run can have used.
    const sequence = (this.#sequences.get(subject) ?? this.#startedAt) + 1;
    this.#sequences.set(subject, sequence);
    return {
      specversion: '1.0' as const,
      id: newId('event', this.#clock),
      source: `/skyrun/gateway/${this.#gateway}`,
      subject,
      time: isoTime(this.#clock.now()),
      datacontenttype: 'application/json' as const,
      sequence,
    };
  }
}
