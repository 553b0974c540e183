import { fieldErrors, type Operation, Problem } from '@skyrun/contracts';
import { readLines } from './ndjson.ts';
import type { Session } from './session.ts';
import type { RequestParts, Send } from './transport.ts';

type Input<Schema extends Operation['params']> = Schema['_input'];
type Output<Schema extends Operation['response']> = Schema['_output'];
/** `key` may be left out when nothing in it is required. */
type Part<Key extends string, Value> = Value extends undefined
  ? { readonly [K in Key]?: undefined }
  : Record<never, never> extends Value
    ? { readonly [K in Key]?: Value }
    : { readonly [K in Key]: Value };

export type CallInput<Op extends Operation> = Part<'params', Input<Op['params']>> &
  Part<'query', Input<Op['query']>> &
  Part<'body', Input<Op['body']>> & {
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  };

type Answer<Op extends Operation> = Output<Op['response']>;

export interface ApiClient {
  /** Calls an operation as the signed-in person; throws a Problem. Renews the token once on a 401. */
  call<Op extends Operation>(operation: Op, input: CallInput<Op>): Promise<Answer<Op>>;
  /** A streaming operation, line by line, until the server ends it or `input.signal` is aborted. */
  stream<Op extends Operation>(operation: Op, input: CallInput<Op>): AsyncGenerator<Answer<Op>>;
  /** An operation that answers a file. */
  file<Op extends Operation>(operation: Op, input: CallInput<Op>): Promise<Blob>;
  /** An access token for what is not sent by this client (upload, live feed). */
  token(): Promise<string>;
}

/** Checks a body as the server will, so that most mistakes show next to their field without a round trip. */
function checkedBody(operation: Operation, body: unknown): unknown {
  if (body === undefined) return undefined;
  const parsed = operation.body.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Problem('request.invalid', { errors: fieldErrors(parsed.error), detail: 'Mend the marked fields.' });
}

function checked<Op extends Operation>(operation: Op, answer: unknown): Answer<Op> {
  const parsed = operation.response.safeParse(answer);
  if (parsed.success) return parsed.data as Answer<Op>;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new Problem('platform.internal', {
    detail: `${operation.id}: the server's answer does not fit this page (at "${where}"). Reload the page.`,
    cause: parsed.error,
  });
}

export function createApiClient({ send, session }: { send: Send; session: Session }): ApiClient {
  async function sendSigned(operation: Operation, parts: RequestParts): Promise<Response> {
    if (operation.permission === 'public') return send(operation, parts, null);
    const token = await session.token();
    try {
      return await send(operation, parts, token);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      return send(operation, parts, await session.renew());
    }
  }

  return {
    async call(operation, input) {
      const response = await sendSigned(operation, { ...input, body: checkedBody(operation, input.body) });
      const answer: unknown = operation.status === 204 ? undefined : await response.json();
      return checked(operation, answer);
    },
    async *stream(operation, input) {
      const { body } = await sendSigned(operation, input);
      if (body === null) return;
      for await (const line of readLines(body)) yield checked(operation, JSON.parse(line));
    },
    async file(operation, input) {
      return (await sendSigned(operation, input)).blob();
    },
    token: () => session.token(),
  };
}
