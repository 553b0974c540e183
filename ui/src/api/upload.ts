import { type Image, OPERATIONS, Problem, type UploadProgress, uploadProgress } from '@skyrun/contracts';
import type { ApiClient } from './client.ts';
import { LineSplitter } from './ndjson.ts';
import { buildPath } from './path.ts';
import { problemFromBody, unreachable } from './problems.ts';

export interface UploadInput {
  readonly project: string;
  readonly file: File;
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
  readonly signal: AbortSignal;
  /** Bytes that left this machine. */
  readonly onSent: (bytes: number) => void;
  /** What the server does with them. */
  readonly onProgress: (progress: UploadProgress) => void;
}

/** The last word of an upload's answer: the image, or the Problem that the server named. */
export function outcomeOf(status: number, last: UploadProgress | null, body: string): Image | Problem {
  if (last?.phase === 'done') return last.image;
  if (last?.phase === 'failed') return problemFromBody(last.problem.status, { type: 'about:blank', ...last.problem });
  if (status >= 400) {
    let answer: unknown = null;
    try {
      answer = JSON.parse(body);
    } catch (error) {
      return new Problem('platform.internal', { detail: `The upload was answered with ${status}.`, cause: error });
    }
    return problemFromBody(status, answer);
  }
  return new Problem('platform.unavailable', { detail: 'The upload ended without an answer. Try again.' });
}

/**
 * Uploads an archive. XMLHttpRequest and not fetch, because only it tells how many bytes were sent.
 * Throws a Problem; an aborted upload throws the signal's reason.
 */
export async function uploadImage(api: ApiClient, input: UploadInput): Promise<Image> {
  const token = await api.token();
  const { project, file, name, tag, signal, onSent, onProgress } = input;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const splitter = new LineSplitter();
    let last: UploadProgress | null = null;
    let read = 0;
    const readMore = (lines: string[]) => {
      for (const line of lines) {
        const parsed = uploadProgress.safeParse(JSON.parse(line));
        if (!parsed.success) continue;
        last = parsed.data;
        onProgress(last);
      }
    };
    const receive = () => {
      if (request.status >= 400) return;
      readMore(splitter.push(request.responseText.slice(read)));
      read = request.responseText.length;
    };
    const settle = () => {
      receive();
      if (request.status < 400) readMore(splitter.end());
      const outcome = outcomeOf(request.status, last, request.responseText);
      if (outcome instanceof Problem) reject(outcome);
      else resolve(outcome);
    };
    request.open('POST', buildPath(OPERATIONS.uploadImage.path, { project }, { name, tag }));
    request.setRequestHeader('authorization', `Bearer ${token}`);
    request.setRequestHeader('accept', 'application/x-ndjson');
    request.setRequestHeader('content-type', /\.t?gz$/.test(file.name) ? 'application/gzip' : 'application/x-tar');
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onprogress = receive;
    request.onload = settle;
    request.onerror = () => {
      // A server that refuses early closes while bytes are still on their way; its verdict may be here already.
      if (last?.phase === 'failed') settle();
      else reject(unreachable('upload'));
    };
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
