import { isProblemCode, type Operation, Problem, problemDetails } from '@skyrun/contracts';
import type { z } from 'zod';
import { traceHeaders } from '../tracing.ts';
import { createFetchTransport, type Transport, type TransportAnswer } from './transport.ts';

export interface ClientOptions {
  readonly baseUrl: string;
  /** The bearer token of each call; null sends none. */
  readonly token?: () => Promise<string | null> | string | null;
  readonly fetch?: typeof fetch;
  /** Instead of fetch. */
  readonly transport?: Transport;
}

type Input<Schema extends z.ZodType> = z.input<Schema>;

export interface CallInput<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params?: Input<P>;
  readonly query?: Input<Q>;
  readonly body?: Input<B>;
  /** For operations with `rawBody`: what is sent, unparsed. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** Undefined for 204 and 304. */
  readonly body: Body | undefined;
}

export interface Client {
  /** The checked response body. Throws Problem: the service's own, or `platform.unavailable` when it cannot be reached. */
  call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    operation: Operation<P, Q, B, R>,
    input?: CallInput<P, Q, B>,
  ): Promise<z.infer<R>>;
  /** Like `call`, with status and headers; a 304 is an answer, not an error. */
  send<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    operation: Operation<P, Q, B, R>,
    input?: CallInput<P, Q, B>,
  ): Promise<Answer<z.infer<R>>>;
  /** The lines of a streaming operation as they come. Ends when the server ends it or the signal aborts. */
  stream<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    operation: Operation<P, Q, B, R>,
    input?: CallInput<P, Q, B>,
  ): AsyncIterable<z.infer<R>>;
}

/** A typed client over the operations of contracts. */
export function createClient({ baseUrl, token, ...options }: ClientOptions): Client {
  const transport = options.transport ?? createFetchTransport(options.fetch ?? fetch);
  /** Of operations that need nothing more, put together once: a gateway's calls hold up its requests meanwhile. */
  const plainUrls = new Map<string, string>();
  const urlOf = (operation: Operation, { params, query }: { readonly params?: unknown; readonly query?: unknown }) => {
    if (params !== undefined || query !== undefined) return operationUrl(baseUrl, operation, params, query);
    const url = plainUrls.get(operation.id) ?? operationUrl(baseUrl, operation, params, query);
    plainUrls.set(operation.id, url);
    return url;
  };
  async function request(
    operation: Operation,
    input: CallInput<z.ZodType, z.ZodType, z.ZodType>,
  ): Promise<TransportAnswer> {
    const url = urlOf(operation, input);
    const bearer = token ? await token() : null;
    const headers: Record<string, string> = {
      ...traceHeaders(),
      accept: operation.streaming ? 'application/x-ndjson' : 'application/json',
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(input.stream === undefined ? {} : { 'content-type': operation.rawBody?.[0] ?? 'application/octet-stream' }),
      ...input.headers,
    };
    const body = input.stream ?? (input.body === undefined ? undefined : JSON.stringify(input.body));
    let answer: TransportAnswer;
    try {
      answer = await transport(url, {
        method: operation.method.toUpperCase(),
        headers,
        ...(body === undefined ? {} : { body }),
        ...(input.signal ? { signal: input.signal } : {}),
      });
    } catch (error) {
      if (input.signal?.aborted) throw error;
      throw new Problem('platform.unavailable', {
        detail: `${operation.service} does not answer at ${new URL(url).host}`,
        cause: error,
      });
    }
    if ((answer.status >= 200 && answer.status < 300) || answer.status === 304) return answer;
    throw await readProblem(answer, operation);
  }

  return {
    async call(operation, input = {}) {
      const answer = await request(operation, input);
      return operation.response.parse(await readBody(answer)) as never;
    },
    async send(operation, input = {}) {
      const answer = await request(operation, input);
      const body = isEmpty(answer) ? undefined : (operation.response.parse(await readBody(answer)) as never);
      if (isEmpty(answer)) await answer.discard();
      return { status: answer.status, headers: answer.headers, body };
    },
    async *stream(operation, input = {}) {
      const answer = await request(operation, input);
      for await (const line of lines(answer.chunks())) {
        yield operation.response.parse(JSON.parse(line)) as never;
      }
    },
  };
}

/** The absolute URL of an operation. Throws RangeError where a path parameter is missing. */
export function operationUrl(baseUrl: string, operation: Operation, params: unknown, query: unknown): string {
  const named = new Map(Object.entries((params ?? {}) as Record<string, unknown>));
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = named.get(name);
    if (typeof value !== 'string' || value === '') throw new RangeError(`${operation.id} needs the parameter ${name}`);
    return encodeURIComponent(value);
  });
  const url = new URL(path, baseUrl);
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  return url.href;
}

function isEmpty({ status }: TransportAnswer): boolean {
  return status === 204 || status === 304;
}

async function readBody(answer: TransportAnswer): Promise<unknown> {
  if (!isEmpty(answer)) return JSON.parse(await answer.text());
  await answer.discard();
  return undefined;
}

async function readProblem(answer: TransportAnswer, operation: Operation): Promise<Problem> {
  const text = await answer.text();
  const details = problemDetails.safeParse(parseJson(text));
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retry = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {};
  if (details.success && isProblemCode(details.data.code)) {
    const { code, detail, errors } = details.data;
    return new Problem(code, { ...(detail ? { detail } : {}), ...(errors ? { errors } : {}), ...retry });
  }
  const code = answer.status === 503 ? 'platform.unavailable' : 'platform.internal';
  return new Problem(code, { detail: `${operation.id} answered ${answer.status}`, ...retry });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Splits a byte stream into lines without holding more than one. What a line has so far is put together once, at its end: a
 * snapshot of very many routes is one line of a thousand pieces.
 */
export async function* lines(stream: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end));
      const line = pieces.join('');
      pieces = [];
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < text.length) pieces.push(text.slice(start));
  }
  const rest = pieces.join('');
  if (rest !== '') yield rest;
}
