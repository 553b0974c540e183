import type Docker from 'dockerode';
import { hasStatus, toRuntimeError } from '../docker/errors.ts';
import { createDockerImages } from '../docker/images.ts';
import { RuntimeError, type RuntimeImages } from '../runtime.ts';
import type { Engine, Engines } from './engines.ts';

export interface SwarmImages extends RuntimeImages {
  /** Brings the image to every engine that is up and does not have it yet. Throws `image_missing` where none has it. */
  spread(reference: string): Promise<void>;
  /** An engine said that it does not have it after all. */
  forget(reference: string): void;
}

/**
 * Images live on each engine: one that is imported goes to the manager's engine, and from an engine that has it to those
 * that do not, when an instance needs it. So an engine that joins later, or comes back empty, gets what it lacks.
 */
export function createSwarmImages(engines: Engines): SwarmImages {
  const first = createDockerImages(engines.manager);
  /** `node reference` → under way or done. */
  const held = new Map<string, Promise<void>>();
  const keyOf = (nodeId: string, reference: string) => `${nodeId} ${reference}`;

  async function copy(reference: string, to: Engine, holders: readonly Engine[]): Promise<void> {
    const [from] = holders;
    if (!from) throw new RuntimeError('image_missing', 'no engine of the swarm holds the image');
    const archive = await from.docker.getImage(reference).get();
    await createDockerImages(to.docker).import(bytesOf(archive), reference);
  }

  async function spread(reference: string): Promise<void> {
    const up = await engines.ready();
    if (up.every(({ nodeId }) => held.has(keyOf(nodeId, reference)))) {
      await Promise.all(up.map(({ nodeId }) => held.get(keyOf(nodeId, reference))));
      return;
    }
    const has = await Promise.all(up.map((engine) => hasImage(engine.docker, reference)));
    const holders = up.filter((_, index) => has[index]);
    if (holders.length === 0) throw new RuntimeError('image_missing', 'no engine of the swarm holds the image');
    await Promise.all(
      up.map((engine, index) => {
        const key = keyOf(engine.nodeId, reference);
        const work = held.get(key) ?? (has[index] ? Promise.resolve() : copy(reference, engine, holders));
        held.set(key, work);
        return work.catch((error: unknown) => {
          held.delete(key);
          throw toRuntimeError(error, 'image_missing');
        });
      }),
    );
  }

  function forget(reference: string): void {
    for (const key of held.keys()) if (key.endsWith(` ${reference}`)) held.delete(key);
  }

  return {
    spread,
    forget,
    async import(archive, reference, signal) {
      const loaded = await first.import(archive, reference, signal);
      forget(reference);
      await spread(reference);
      return loaded;
    },
    async pull(reference, signal) {
      const pulled = await first.pull(reference, signal);
      forget(reference);
      await spread(reference);
      return pulled;
    },
    async remove(reference) {
      forget(reference);
      for (const { docker } of await engines.ready()) await createDockerImages(docker).remove(reference);
    },
  };
}

async function hasImage(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).inspect();
    return true;
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw toRuntimeError(error, 'unavailable');
  }
}

async function* bytesOf(stream: NodeJS.ReadableStream): AsyncIterable<Uint8Array> {
  for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
