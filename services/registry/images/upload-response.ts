import type { IncomingMessage, ServerResponse } from 'node:http';
import type { UploadProgress } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';

/** At most five lines a second, and each new phase at once. Milliseconds. */
const PROGRESS_MS = 200;
/** For how long the rest of a refused upload is read and thrown away. Milliseconds. */
const DISCARD_MS = 5000;
/** Whoever sends slower than this uses up the time that a client may send nothing. Bytes per millisecond, 16 KiB/s. */
const SLOWEST = (16 * 1024) / 1000;

export interface ProgressLines {
  progress(line: UploadProgress): void;
  end(line: UploadProgress): void;
}

/** Writes progress as NDJSON. */
export function progressLines(response: ServerResponse, clock: Clock): ProgressLines {
  response.writeHead(200, {
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  let phase = '';
  let next = 0;
  const write = (line: UploadProgress) => response.write(`${JSON.stringify(line)}\n`);
  return {
    progress(line) {
      const now = clock.monotonic();
      if (line.phase === phase && now < next) return;
      phase = line.phase;
      next = now + PROGRESS_MS;
      write(line);
    },
    end(line) {
      write(line);
      response.end();
    },
  };
}

/**
 * The body; giving up on it leaves the connection open, so that the client can be told why. A client that sends nothing
 * for `idleMs`, or trickles until it has waited so long in all, is cut off: it would hold its place among the uploads
 * for ever.
 */
export async function* bodyOf(request: IncomingMessage, clock: Clock, idleMs: number): AsyncGenerator<Uint8Array> {
  let patienceMs = idleMs;
  const wait = () => {
    const from = clock.monotonic();
    const cancel = clock.setTimeout(patienceMs, () =>
      request.destroy(new Error(`too little was sent for ${idleMs} ms`)),
    );
    return (bytes: number) => {
      cancel();
      patienceMs = Math.min(idleMs, patienceMs - (clock.monotonic() - from) + bytes / SLOWEST);
    };
  };
  let arrived = wait();
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      arrived(chunk.length);
      yield chunk;
      arrived = wait();
    }
  } finally {
    arrived(0);
  }
}

/**
 * Reads on for a while after a refusal: most clients look at the answer only when they have sent everything, and a
 * connection that is closed on unread data loses the answer.
 */
export async function discardRest(request: IncomingMessage, clock: Clock): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      cancel();
      request.off('end', done);
      request.off('close', done);
      request.off('error', done);
      resolve();
    };
    const cancel = clock.setTimeout(DISCARD_MS, done);
    request.once('end', done);
    request.once('close', done);
    request.once('error', done);
    request.resume();
  });
}
