import { lines } from '@skyrun/kit';
import Docker from 'dockerode';
import { z } from 'zod';
import { INSTALLATION_LABEL, INSTANCE_LABEL } from '../runtime/docker/labels.ts';

const started = z.object({ Actor: z.object({ Attributes: z.record(z.string(), z.string()) }) });

/** Counts every start of an installation's containers, as the engine tells of them, until the signal aborts. */
export async function countStarts(
  socketPath: string,
  installation: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const docker = new Docker({ socketPath });
  const stream = await docker.getEvents({
    filters: { type: ['container'], label: [`${INSTALLATION_LABEL}=${installation}`], event: ['start'] },
    abortSignal: signal,
  });
  async function* bytes(): AsyncIterable<Uint8Array> {
    for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
  const read = async () => {
    for await (const line of lines(bytes())) {
      const id = started.parse(JSON.parse(line)).Actor.Attributes[INSTANCE_LABEL] ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  };
  read().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return counts;
}
