import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { RuntimeError, type RuntimeImages } from '../runtime.ts';
import { hasStatus, readEngineError, toRuntimeError } from './errors.ts';

export function createDockerImages(docker: Docker): RuntimeImages {
  async function idOf(reference: string): Promise<string> {
    try {
      return (await docker.getImage(reference).inspect()).Id;
    } catch (error) {
      throw toRuntimeError(error, 'image_missing');
    }
  }

  return {
    async import(archive, reference, signal) {
      const upload = Readable.from(archive, { objectMode: false, ...(signal ? { signal } : {}) });
      // An upload that breaks off fails the engine's call below; without a listener it would end the process.
      upload.once('error', () => upload.destroy());
      try {
        await readProgress(await docker.loadImage(upload, { quiet: true }));
      } catch (error) {
        throw toRuntimeError(error, 'image_refused');
      } finally {
        upload.destroy();
      }
      return { id: await idOf(reference) };
    },
    async pull(reference, signal) {
      try {
        const progress = await docker.pull(reference, signal ? { abortSignal: signal } : {});
        await readProgress(progress);
      } catch (error) {
        throw toRuntimeError(error, 'image_missing');
      }
      return { id: await idOf(reference) };
    },
    async remove(reference) {
      try {
        await docker.getImage(reference).remove({ noprune: false });
      } catch (error) {
        if (hasStatus(error, 404)) return;
        throw toRuntimeError(error, 'image_in_use');
      }
    },
  };
}

/** Reads the engine's JSON lines to their end. Throws `image_refused` when one of them says that it failed. */
async function readProgress(stream: NodeJS.ReadableStream): Promise<void> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    const parts = text.split('\n');
    text = parts.pop() ?? '';
    parts.forEach(throwFailure);
  }
  throwFailure(text);
}

function throwFailure(line: string): void {
  if (line.trim() === '') return;
  const message: unknown = JSON.parse(line);
  if (typeof message === 'object' && message !== null && 'error' in message) {
    throw new RuntimeError('image_refused', readEngineError(new Error(String(message.error))).message);
  }
}
