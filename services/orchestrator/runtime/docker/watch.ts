import type { Clock, Logger } from '@skyrun/kit';
import { backoff, lines } from '@skyrun/kit';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { RuntimeChange } from '../runtime.ts';
import { INSTALLATION_LABEL, INSTANCE_LABEL } from './labels.ts';

const engineEvent = z.object({
  Action: z.string(),
  Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
});

interface WatchOptions {
  readonly installation: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The engine answers at once, though it may have nothing to tell for hours. */
const CONNECTED_WITHIN_MS = 10_000;

/** The engine's events of our containers. What happened while it was not connected is one change without an id. */
export async function* watchEngine(
  docker: Docker,
  { installation, clock, logger }: WatchOptions,
  signal: AbortSignal,
): AsyncIterable<RuntimeChange> {
  const delay = backoff({ baseMs: 100, maxMs: 2000 });
  let failures = 0;
  while (!signal.aborted) {
    let stream: NodeJS.ReadableStream | undefined;
    const cut = () => {
      if (stream && 'destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
    };
    signal.addEventListener('abort', cut, { once: true });
    try {
      const connecting = new AbortController();
      const late = new Error('the container engine took the question for its events and did not answer');
      const cancel = clock.setTimeout(CONNECTED_WITHIN_MS, () => connecting.abort(late));
      stream = await docker
        .getEvents({
          filters: {
            type: ['container'],
            label: [`${INSTALLATION_LABEL}=${installation}`],
            event: ['create', 'start', 'die', 'oom', 'pause', 'unpause', 'destroy'],
          },
          abortSignal: AbortSignal.any([signal, connecting.signal]),
        })
        .finally(cancel);
      failures = 0;
      yield { instanceId: null };
      for await (const line of lines(bytesOf(stream))) {
        const parsed = engineEvent.safeParse(JSON.parse(line));
        yield changeOf(parsed.data);
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ error }, 'the container engine’s events broke off; connecting again');
    } finally {
      signal.removeEventListener('abort', cut);
      cut();
    }
    if (signal.aborted) return;
    failures += 1;
    try {
      await clock.sleep(delay(failures), signal);
    } catch {
      return;
    }
  }
}

function changeOf(event: z.infer<typeof engineEvent> | undefined): RuntimeChange {
  const instanceId = event?.Actor.Attributes[INSTANCE_LABEL] ?? null;
  const did = event?.Action === 'create' ? 'made' : event?.Action === 'start' ? 'started' : undefined;
  return did === undefined ? { instanceId } : { instanceId, did };
}

async function* bytesOf(stream: NodeJS.ReadableStream): AsyncIterable<Uint8Array> {
  for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
