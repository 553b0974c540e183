import { type AnyEvent, type InstanceSample, parseEvent } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger, newId } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';
import type { World } from '../reconcile/world.ts';
import type { InstanceStats, Runtime } from '../runtime/runtime.ts';

/** What an instance used between its last two samples, as percentages of what it may use. */
export interface Use {
  readonly cpuPercent: number;
  readonly memoryPercent: number;
}

export interface InstanceSamples {
  /** Asks the engine about instances whose time has come, and publishes windows that are full. */
  tick(): Promise<void>;
  /** Null while too little is known. */
  latest(instanceId: string): Use | null;
}

export interface InstanceSamplesOptions {
  readonly world: World;
  readonly runtime: Pick<Runtime, 'stats'>;
  readonly bus: { publish(events: readonly AnyEvent[]): Promise<void> };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often an instance is asked: often where it scales by its answers, else as often as a coarse picture needs. */
const SCALING_EVERY_MS = 5_000;
const EVERY_MS = 20_000;
const WINDOW_MS = 60_000;
/** Questions to the engine at once. */
const AT_ONCE = 8;
const BYTES_PER_MIB = 1024 * 1024;

interface Sampled {
  last: InstanceStats;
  begun: number;
  use: Use | null;
  cpuMilli: number[];
  memoryMib: number[];
}

export function createInstanceSamples(options: InstanceSamplesOptions): InstanceSamples {
  const { world, runtime, bus, clock, logger } = options;
  const sampled = new Map<string, Sampled>();

  function isDue({ instanceId, revisionId }: InstanceRecord, now: number): boolean {
    const known = sampled.get(instanceId);
    if (!known) return true;
    const targets = world.desired?.get(revisionId)?.revision.template.scaling.targets ?? [];
    const scales = targets.some(({ metric }) => metric === 'cpu' || metric === 'memory');
    return now - known.last.at >= (scales ? SCALING_EVERY_MS : EVERY_MS);
  }

  function take(record: InstanceRecord, stats: InstanceStats): AnyEvent | null {
    const { instanceId, cpuMilli: cpuLimit, memoryMib: memoryLimit } = record;
    const known = sampled.get(instanceId);
    // Counters that went back are those of a container that was started again.
    if (!known || stats.at <= known.last.at || stats.cpuMs < known.last.cpuMs) {
      sampled.set(instanceId, { last: stats, begun: stats.at, use: null, cpuMilli: [], memoryMib: [] });
      return null;
    }
    const cpuMilli = ((stats.cpuMs - known.last.cpuMs) * 1000) / (stats.at - known.last.at);
    const memoryMib = stats.memoryBytes / BYTES_PER_MIB;
    known.last = stats;
    known.use = { cpuPercent: (cpuMilli / cpuLimit) * 100, memoryPercent: (memoryMib / memoryLimit) * 100 };
    known.cpuMilli.push(cpuMilli);
    known.memoryMib.push(memoryMib);
    if (stats.at - known.begun < WINDOW_MS) return null;
    const event = sampleEvent(record, known, newId('event', clock));
    Object.assign(known, { begun: stats.at, cpuMilli: [], memoryMib: [] });
    return event;
  }

  return {
    latest: (instanceId) => sampled.get(instanceId)?.use ?? null,
    async tick() {
      const now = clock.now();
      for (const instanceId of sampled.keys()) if (!world.entries.has(instanceId)) sampled.delete(instanceId);
      const running = [...world.entries.values()].flatMap(({ record, container }) => {
        const runs = typeof container !== 'string' && container.state === 'running' && !container.paused;
        return runs && record.startedAt !== null && isDue(record, now) ? [record] : [];
      });
      const events: AnyEvent[] = [];
      let failure: unknown;
      for (let from = 0; from < running.length; from += AT_ONCE) {
        await Promise.all(
          running.slice(from, from + AT_ONCE).map(async (record) => {
            try {
              const stats = await runtime.stats(record.instanceId);
              const event = stats && take(record, stats);
              if (event) events.push(event);
            } catch (error) {
              // Told when all were asked: one that the engine says nothing of hides no other.
              failure = error;
            }
          }),
        );
      }
      // What a minute used is worth no retry: the next minute tells as much.
      if (events.length > 0) {
        await bus.publish(events).catch((error: unknown) => logger.debug({ error }, 'samples could not be published'));
      }
      if (failure !== undefined) throw failure;
    },
  };
}

function spread(values: readonly number[]): InstanceSample['cpuMilli'] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

const round = (value: number) => Math.round(value * 100) / 100;

function sampleEvent(record: InstanceRecord, window: Sampled, id: string): AnyEvent {
  const { project, service, serviceId, revisionId, revisionName, instanceId, cpuMilli, memoryMib } = record;
  const data: InstanceSample = {
    project,
    service,
    serviceId,
    revisionId,
    revisionName,
    instanceId,
    windowStart: isoTime(window.begun),
    windowEnd: isoTime(window.last.at),
    samples: window.cpuMilli.length,
    cpuMilli: spread(window.cpuMilli),
    memoryMib: spread(window.memoryMib),
    cpuLimitMilli: cpuMilli,
    memoryLimitMib: memoryMib,
  };
  return parseEvent({
    specversion: '1.0',
    id,
    source: '/skyrun/orchestrator/samples',
    type: 'skyrun.instance.sampled.v1',
    subject: `instances/${instanceId}`,
    time: isoTime(window.last.at),
    datacontenttype: 'application/json',
    project,
    sequence: window.last.at,
    data,
  });
}
