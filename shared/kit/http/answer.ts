import { once } from 'node:events';
import { type FieldError, fieldErrors, Problem } from '@skyrun/contracts';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Authenticator, Caller } from '../auth/authenticator.ts';
import { authorize } from '../auth/authorize.ts';
import type { Logger } from '../logger.ts';
import { type Binding, HANDLED, Reply } from './api.ts';
import { sendProblem, toProblem } from './problems.ts';

interface AnswerOptions {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
}

/** Validates one request, runs its handler and writes the answer. Throws what the error middleware turns into a problem. */
export async function answer(
  binding: Binding,
  request: Request,
  response: Response,
  options: AnswerOptions,
): Promise<void> {
  const { operation, handler } = binding;
  const caller: Caller | null = operation.rawBody
    ? await authorize(operation, request, options.authenticator)
    : (response.locals['caller'] ?? null);
  if (operation.rawBody) requireMediaType(request, operation.rawBody);
  // An ETag here names a version to change (If-Match), not a page to keep: status changes while the version stays.
  response.setHeader('cache-control', 'no-store');
  const aborted = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) aborted.abort(new Error('the client went away'));
  });

  const problems: FieldError[] = [];
  const params = check(operation.params, request.params, '#path', problems);
  const query = check(operation.query, request.query, '#query', problems);
  const hasBody = !operation.rawBody && !(operation.body instanceof z.ZodUndefined);
  const body = hasBody ? check(operation.body, request.body, '', problems) : undefined;
  if (problems.length > 0) {
    const [first] = problems;
    throw new Problem('request.invalid', { detail: `${first?.field}: ${first?.message}`, errors: problems });
  }

  const result = await handler({
    params,
    query,
    body,
    caller,
    headers: request.headers,
    request,
    response,
    signal: aborted.signal,
  });
  if (result === HANDLED) return;
  if (result instanceof Reply) {
    for (const [name, value] of Object.entries(result.headers)) response.setHeader(name, value);
    response.status(result.status ?? operation.status);
    if (result.raw) response.end(result.raw);
    else if (result.body === undefined) response.end();
    else response.json(operation.response.parse(result.body));
    return;
  }
  if (operation.streaming && isAsyncIterable(result)) {
    await streamLines(result, response, aborted.signal, options.logger);
    return;
  }
  response.status(operation.status);
  if (operation.status === 204) response.end();
  else response.json(operation.response.parse(result));
}

function check(schema: z.ZodType, value: unknown, place: string, problems: FieldError[]): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  problems.push(...fieldErrors(parsed.error, place));
  return undefined;
}

function requireMediaType(request: Request, allowed: readonly string[]): void {
  const given = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (allowed.includes(given)) return;
  throw new Problem('request.unsupported_media_type', {
    detail: `Content-Type is ${given === '' ? 'absent' : given}; send one of ${allowed.join(', ')}`,
  });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** NDJSON with back-pressure. An error before the first line is a problem; after it, the connection is cut. */
async function streamLines(
  source: AsyncIterable<unknown>,
  response: Response,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const stop = () =>
    void iterator.return?.().catch((error: unknown) => logger.debug({ error }, 'stream source failed to stop'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    response.status(200).type('application/x-ndjson');
    response.setHeader('x-accel-buffering', 'no');
    response.flushHeaders();
    for (;;) {
      const next = await iterator.next();
      if (next.done || signal.aborted) break;
      if (!response.write(`${JSON.stringify(next.value)}\n`)) await once(response, 'drain', { signal });
    }
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) {
      sendProblem(response, toProblem(error));
      return;
    }
    logger.error({ error }, 'stream failed');
    response.destroy();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
