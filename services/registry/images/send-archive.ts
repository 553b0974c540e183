import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isProblemCode, OPERATIONS, Problem, problemDetails } from '@skyrun/contracts';
import { operationUrl } from '@skyrun/kit';

export interface EngineAddress {
  readonly orchestratorUrl: string;
  readonly internalToken: string;
}

/** Without a byte either way for so long, the other end is taken for dead. The engine is silent while it unpacks. */
const SILENCE_MS = 15 * 60_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Streams an archive to the orchestrator. Not by `fetch`: it keeps a copy of a streamed body for a redirect that never
 * comes, and gives up on an answer after five minutes; an image may be larger than the memory, and take longer.
 * @throws Problem of the orchestrator, or `platform.unavailable`
 */
export async function sendArchive(
  { orchestratorUrl, internalToken }: EngineAddress,
  query: { readonly reference: string; readonly digest: string },
  archive: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<{ digest: string }> {
  const operation = OPERATIONS.importImage;
  const url = operationUrl(orchestratorUrl, operation, {}, query);
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const outgoing = send(url, {
    method: operation.method.toUpperCase(),
    headers: {
      authorization: `Bearer ${internalToken}`,
      'content-type': operation.rawBody?.[0] ?? 'application/octet-stream',
      accept: 'application/json',
    },
    agent: false,
    timeout: SILENCE_MS,
    signal,
  });
  outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  const sent = pipeline(Readable.from(archive, { objectMode: false, highWaterMark: 1 }), outgoing, { signal });
  // An early refusal ends the sending with an error; the answer says more than that error does.
  const failed = sent.then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => answeredSoon(answered, error),
  );
  try {
    const answer = await Promise.race([answered, failed]);
    const body = await readAnswer(answer);
    if (answer.statusCode === operation.status) return operation.response.parse(body);
    throw problemOf(answer.statusCode ?? 0, body);
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw new Problem('platform.unavailable', { detail: 'The orchestrator does not take the image', cause: error });
  } finally {
    outgoing.destroy();
  }
}

/** The answer where one is already on its way, else the error. */
async function answeredSoon(answered: Promise<IncomingMessage>, error: unknown): Promise<IncomingMessage> {
  return await Promise.race([
    answered,
    new Promise<never>((_, reject) => {
      setImmediate(() => reject(error));
    }),
  ]);
}

async function readAnswer(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function problemOf(status: number, body: unknown): Problem {
  const details = problemDetails.safeParse(body);
  if (details.success && isProblemCode(details.data.code)) {
    const { code, detail } = details.data;
    return new Problem(code, detail === undefined ? {} : { detail });
  }
  return new Problem('image.import_failed', { detail: `The orchestrator answered ${status}` });
}
