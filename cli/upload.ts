import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { type Image, isProblemCode, OPERATIONS, Problem, problemDetails, uploadProgress } from '@skyrun/contracts';
import { lines, operationUrl } from '@skyrun/kit';
import type { CommandContext, SignedInClient } from './command.ts';
import { bytes } from './output.ts';

export interface ImageSource {
  /** For messages. */
  readonly label: string;
  /** Null where it is not known before the end. */
  readonly sizeBytes: number | null;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** An archive on disk: `docker save` or OCI layout, plain or gzipped. */
export async function archiveSource(path: string): Promise<ImageSource | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return null;
  return { label: path, sizeBytes: found.size, open: async () => createReadStream(path) };
}

/** An image of the local engine, streamed as `docker save` would write it. */
export function engineSource(image: string, socketPath: string): ImageSource {
  const open = () =>
    new Promise<AsyncIterable<Uint8Array>>((resolve, reject) => {
      const call = request({ socketPath, path: `/images/${encodeURIComponent(image)}/get` }, (response) => {
        if (response.statusCode === 200) {
          resolve(response);
          return;
        }
        response.resume();
        const detail = `${image} is neither a file nor an image of the local container engine; --image names one that the project has already`;
        reject(new Problem('resource.not_found', { detail }));
      });
      call.on('error', (cause) => {
        const detail = `${image} is not a file, and no container engine answers at ${socketPath}`;
        reject(new Problem('resource.not_found', { detail, cause }));
      });
      call.end();
    });
  return { label: image, sizeBytes: null, open };
}

/** Streams an image up and shows how far it is. Throws the server's Problem. */
export async function uploadImage(
  context: CommandContext,
  client: SignedInClient,
  project: string,
  source: ImageSource,
  query: { readonly name?: string; readonly tag?: string },
): Promise<Image> {
  const { output, signal } = context;
  const url = operationUrl(client.baseUrl, OPERATIONS.uploadImage, { project }, query);
  const stream = await source.open();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await client.token()}`,
      accept: 'application/x-ndjson',
      'content-type': 'application/octet-stream',
      ...(source.sizeBytes === null ? {} : { 'content-length': String(source.sizeBytes) }),
    },
    body: counted(stream, (sent) => {
      const of = source.sizeBytes === null ? '' : ` of ${bytes(source.sizeBytes)}`;
      output.progress(`uploading ${source.label}: ${bytes(sent)}${of}`);
    }),
    duplex: 'half',
    // Otherwise fetch keeps a second copy of the whole body, in case a redirect asks for it again.
    redirect: 'error',
    window: null,
    signal,
  });
  if (!response.ok || !response.body) throw await problemOf(response);
  for await (const line of lines(response.body)) {
    const step = uploadProgress.parse(JSON.parse(line));
    if (step.phase === 'done') {
      output.endProgress();
      return step.image;
    }
    if (step.phase === 'failed') throw problemFrom(step.problem);
    if (step.phase !== 'receiving') {
      output.progress(`${step.phase} ${source.label}: ${bytes(step.bytes)} of ${bytes(step.totalBytes)}`);
    }
  }
  throw new Problem('platform.internal', { detail: 'the upload ended without an answer' });
}

/** At most ten calls a second. */
async function* counted(stream: AsyncIterable<Uint8Array>, onBytes: (sent: number) => void): AsyncIterable<Uint8Array> {
  let sent = 0;
  let reported = 0;
  for await (const chunk of stream) {
    sent += chunk.length;
    if (sent - reported > 4 * 1024 * 1024) {
      reported = sent;
      onBytes(sent);
    }
    yield chunk;
  }
  onBytes(sent);
}

async function problemOf(response: Response): Promise<Problem> {
  return problemFrom(await response.json().catch(() => null), response.status);
}

function problemFrom(raw: unknown, status = 500): Problem {
  const details = problemDetails.safeParse(raw);
  if (!details.success || !isProblemCode(details.data.code)) {
    return new Problem('platform.internal', { detail: `the upload was answered ${status}` });
  }
  const { code, detail, errors } = details.data;
  return new Problem(code, { ...(detail ? { detail } : {}), ...(errors ? { errors } : {}) });
}
