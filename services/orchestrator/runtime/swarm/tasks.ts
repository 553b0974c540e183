import { z } from 'zod';
import type { RuntimeInstance } from '../runtime.ts';

/** What Swarm's API says of a task, as far as it matters here. */
export const swarmTask = z.object({
  ID: z.string(),
  ServiceID: z.string(),
  NodeID: z.string().default(''),
  CreatedAt: z.string(),
  Status: z.object({
    Timestamp: z.string().optional(),
    State: z.string(),
    Err: z.string().default(''),
    ContainerStatus: z.object({ ContainerID: z.string().default(''), ExitCode: z.int().default(0) }).optional(),
    PortStatus: z
      .object({ Ports: z.array(z.object({ TargetPort: z.int(), PublishedPort: z.int().default(0) })).optional() })
      .optional(),
  }),
});
export type SwarmTask = z.infer<typeof swarmTask>;

export const swarmNode = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.int() }),
  Spec: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }),
  Status: z.object({ State: z.string(), Addr: z.string().default('') }),
});
export type SwarmNode = z.infer<typeof swarmNode>;

/** In the order of a task's life; it never goes back. */
const BEFORE = new Set(['new', 'allocated', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting']);

export function taskState(task: SwarmTask | undefined): RuntimeInstance['state'] {
  if (!task || BEFORE.has(task.Status.State)) return 'created';
  return task.Status.State === 'running' ? 'running' : 'exited';
}

/** The one that counts: a service has one task, and another only where somebody changed the service by hand. */
export function newestTask(tasks: readonly SwarmTask[]): SwarmTask | undefined {
  return tasks.toSorted((a, b) => b.CreatedAt.localeCompare(a.CreatedAt))[0];
}

export function publishedPort(task: SwarmTask, target: number): number | undefined {
  const ports = task.Status.PortStatus?.Ports ?? [];
  return ports.find(({ TargetPort, PublishedPort }) => TargetPort === target && PublishedPort > 0)?.PublishedPort;
}

/** Whether the task ended without its program having run: refused by a node, or by the node's engine. */
export function startFailure(task: SwarmTask): string | null {
  const { State: state, Err: text } = task.Status;
  if (state === 'rejected') return text;
  return /^(starting container failed|failed to create|create container|No such image)/i.test(text) ? text : null;
}
