import type { HealthProbe } from '@skyrun/contracts';
import { watchHealth } from '../probes/health.ts';
import { finish } from './ending.ts';
import type { Execution } from './execution.ts';
import { settle } from './holds.ts';
import { instanceEvent, toReadiness } from './transitions.ts';
import type { Entry } from './world.ts';

/** Asks a serving instance's readiness and liveness probes until it serves no more. */
export function beginWatch(execution: Execution, entry: Entry): void {
  const { world, clock, signal, logger } = execution;
  const template = world.desired?.get(entry.record.revisionId)?.revision.template;
  if (!template || entry.health) return;
  const own = new AbortController();
  entry.health = own;
  const over = AbortSignal.any([signal, own.signal]);
  const watch = (probe: HealthProbe, well: boolean, onChange: (well: boolean) => Promise<void>) =>
    watchHealth({
      probe,
      well,
      clock,
      signal: over,
      ask() {
        const { instanceId, address } = entry.record;
        if (address === null) return Promise.reject(new Error('it has no address'));
        return execution.ask({ instanceId, address, template, probe, timeoutMs: probe.timeoutSeconds * 1000 });
      },
      async onChange(next) {
        // Something else is being done with it; told again with the next answer.
        if (entry.holds > 0) return false;
        await settle(execution, entry, () => onChange(next));
        return true;
      },
    });
  const { readinessProbe, livenessProbe } = template;
  const watches = [
    ...(readinessProbe
      ? [watch(readinessProbe, entry.record.state === 'ready', (well) => tellReadiness(execution, entry, well))]
      : []),
    ...(livenessProbe
      ? [watch(livenessProbe, true, (well) => (well ? Promise.resolve() : end(execution, entry)))]
      : []),
  ];
  execution.background(
    Promise.all(watches)
      .then(() => undefined)
      .catch((error: unknown) => {
        if (!over.aborted) logger.warn({ error, instance: entry.record.instanceId }, 'a health probe broke off');
      })
      .finally(() => {
        own.abort();
        entry.health = null;
        execution.wake(entry.record.revisionId);
      }),
  );
}

async function tellReadiness({ ledger, logger, wake }: Execution, entry: Entry, well: boolean): Promise<void> {
  if (entry.record.state !== 'ready' && entry.record.state !== 'unready') return;
  const record = toReadiness(entry.record, well);
  const type = well ? 'skyrun.instance.ready.v1' : 'skyrun.instance.unready.v1';
  await ledger.write({ update: record, events: [instanceEvent(type, record)] });
  entry.record = record;
  logger.info({ instance: record.instanceId, revision: record.revisionName, well }, 'readiness changed');
  wake(record.revisionId);
}

/** It hangs: it is ended, and as it counts no more, another takes its place. */
async function end(execution: Execution, entry: Entry): Promise<void> {
  const { runtime, signal } = execution;
  signal.throwIfAborted();
  const graceMs = entry.record.terminationGraceSeconds * 1000;
  const container = await runtime.stop(entry.record.instanceId, { graceMs, remove: false });
  await finish(execution, entry, { state: 'failed', reason: 'LivenessProbeFailed' }, container);
}
