import type Docker from 'dockerode';
import type { LogOptions, RuntimeLogLine } from '../runtime.ts';
import { hasStatus, toRuntimeError } from './errors.ts';
import { logLines } from './log-lines.ts';

export async function* readLogs(
  container: Docker.Container,
  { follow, tail, since, signal }: LogOptions,
): AsyncIterable<RuntimeLogLine> {
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    ...(tail === 'all' ? {} : { tail }),
    ...(since === undefined ? {} : { since: Math.floor(since / 1000) }),
  };
  try {
    const until = signal ? { abortSignal: signal } : {};
    if (!follow) {
      yield* logLines(once(await container.logs({ ...options, follow: false, ...until })));
      return;
    }
    const stream = await container.logs({ ...options, follow: true, ...until });
    yield* logLines(buffersOf(stream));
  } catch (error) {
    if (signal?.aborted || hasStatus(error, 404, 409)) return;
    throw toRuntimeError(error, 'unavailable');
  }
}

async function* once(buffer: Buffer): AsyncIterable<Buffer> {
  yield buffer;
}

async function* buffersOf(stream: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
