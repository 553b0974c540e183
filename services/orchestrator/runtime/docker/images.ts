import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { RuntimeError, type RuntimeImages } from '../runtime.ts';
import { hasStatus, readEngineError, toRuntimeError } from './errors.ts';

export function createDockerImages(docker: Docker): RuntimeImages {
  async function idOf(reference: string): Promise<string> {
    try {
      const { Id: id } = await docker.getImage(reference).inspect();
      return (await namesImagesByManifest(docker)) ? await configDigest(docker, reference) : id;
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

const engineInfo = z.object({ DriverStatus: z.array(z.array(z.string())).nullish() });

/** Whether the engine keeps images in containerd: then an image's id is the digest of its manifest, which the engine makes. */
async function namesImagesByManifest(docker: Docker): Promise<boolean> {
  const { DriverStatus: status } = engineInfo.parse(await docker.info());
  return status?.some(([name, value]) => name === 'driver-type' && value?.includes('containerd')) ?? false;
}

const savedManifest = z.array(z.object({ Config: z.string() })).min(1);

/** The digest of an image's configuration, from the engine's own export of it, where its id does not tell. */
export async function configDigest(docker: Docker, reference: string): Promise<string> {
  const archive = extract();
  Readable.from(await docker.getImage(reference).get()).pipe(archive);
  for await (const entry of archive) {
    if (entry.header.name !== 'manifest.json') {
      entry.resume();
      continue;
    }
    let text = '';
    for await (const chunk of entry) text += String(chunk);
    archive.destroy();
    const [manifest] = savedManifest.parse(JSON.parse(text));
    // `<hex>.json` from older engines, `blobs/sha256/<hex>` from newer ones.
    return `sha256:${/[0-9a-f]{64}/.exec(manifest?.Config ?? '')?.[0] ?? ''}`;
  }
  throw new RuntimeError('image_refused', `the engine exported ${reference} without a manifest`);
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
