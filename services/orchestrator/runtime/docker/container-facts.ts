import type Docker from 'dockerode';
import type { RuntimeInstance } from '../runtime.ts';

/** What the engine's account of a container's state says of the instance in it. */
export function containerFacts(
  state: Docker.ContainerInspectInfo['State'],
): Omit<RuntimeInstance, 'identity' | 'address'> {
  const startedAt = readTime(state.StartedAt);
  const finishedAt = readTime(state.FinishedAt);
  const began = startedAt === null ? {} : { startedAt };
  if (state.Running) return { state: 'running', ...(state.Paused ? { paused: true } : {}), ...began };
  if (state.Status === 'created') return { state: 'created' };
  return {
    state: 'exited',
    ...began,
    ...(finishedAt === null ? {} : { finishedAt }),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
  };
}

/** The engine writes the year 1 for "never". */
function readTime(text: string): number | null {
  const time = Date.parse(text);
  return Number.isFinite(time) && time > 0 ? time : null;
}
