import type { Condition, Service } from '@skyrun/contracts';
import type { Tone } from '../components/pill.tsx';

export interface Readiness {
  readonly state: 'ready' | 'idle' | 'deploying' | 'failed';
  readonly label: string;
  readonly tone: Tone;
  readonly moving: boolean;
  /** Why, in the platform's words. */
  readonly message?: string;
}

export function conditionOf(service: Service, type: Condition['type']): Condition | undefined {
  return service.status.conditions.find((condition) => condition.type === type);
}

/** A service's state in one word. */
export function readinessOf(service: Service): Readiness {
  const ready = conditionOf(service, 'Ready');
  const message = ready?.message ?? ready?.reason;
  const why = message === undefined ? {} : { message };
  if (ready?.reason === 'RolledBack')
    return { state: 'ready', label: 'Rolled back', tone: 'warn', moving: false, ...why };
  if (ready?.reason === 'RolloutInProgress') {
    return { state: 'ready', label: 'Rolling out', tone: 'accent', moving: true, ...why };
  }
  if (ready?.status === 'False') return { state: 'failed', label: 'Failed', tone: 'bad', moving: false, ...why };
  if (ready?.status !== 'True' || service.status.observedGeneration < service.generation) {
    return { state: 'deploying', label: 'Deploying', tone: 'accent', moving: true, ...why };
  }
  const { ready: running, starting } = service.status.instances;
  if (running > 0) return { state: 'ready', label: 'Ready', tone: 'ok', moving: false };
  if (starting > 0) return { state: 'ready', label: 'Waking up', tone: 'accent', moving: true };
  return { state: 'idle', label: 'Idle at zero', tone: 'muted', moving: false };
}

/** A URL without its scheme, for reading. */
export const bareUrl = (url: string): string => url.replace(/^https?:\/\//, '').replace(/\/$/, '');
