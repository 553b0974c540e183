import type { StartKind, StartPhases } from '@skyrun/contracts';
import type { Metrics } from '@skyrun/kit';

/** What Prometheus is told. */
export interface OrchestratorMetrics {
  step(kind: string, milliseconds: number, well: boolean): void;
  started(phases: StartPhases): void;
  /** The last phase of a start, told apart from the others. */
  firstByte(milliseconds: number, kind: StartKind): void;
  instances(ready: number, starting: number, draining: number): void;
  leads(leading: boolean): void;
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createOrchestratorMetrics(metrics: Metrics): OrchestratorMetrics {
  const steps = metrics.histogram(
    'skyrun_orchestrator_step_seconds',
    'Time that a step of the plan took',
    ['kind', 'result'],
    BUCKETS,
  );
  const phases = metrics.histogram(
    'skyrun_orchestrator_start_phase_seconds',
    'Time of each phase of an instance’s start',
    ['phase', 'kind'],
    BUCKETS,
  );
  const instances = metrics.gauge('skyrun_orchestrator_instances', 'Instances that are not over', ['state']);
  const leader = metrics.gauge('skyrun_orchestrator_leader', '1 while this process leads');
  const count = (ready: number, starting: number, draining: number) => {
    instances.set({ state: 'ready' }, ready);
    instances.set({ state: 'starting' }, starting);
    instances.set({ state: 'draining' }, draining);
  };
  return {
    step: (kind, milliseconds, well) => steps.observe({ kind, result: well ? 'done' : 'failed' }, milliseconds / 1000),
    started({ kind = 'created', queueMs, createMs, startMs, probeMs }) {
      if (queueMs !== undefined) phases.observe({ phase: 'queue', kind }, queueMs / 1000);
      if (kind === 'created') phases.observe({ phase: 'create', kind }, createMs / 1000);
      phases.observe({ phase: 'start', kind }, startMs / 1000);
      // One that is resumed needs no probe: it answered before.
      if (kind !== 'resumed') phases.observe({ phase: 'probe', kind }, probeMs / 1000);
    },
    firstByte: (milliseconds, kind) => phases.observe({ phase: 'first_byte', kind }, milliseconds / 1000),
    instances: count,
    leads(leading) {
      leader.set(leading ? 1 : 0);
      // Another counts them now.
      if (!leading) count(0, 0, 0);
    },
  };
}
