import type { Operation } from '@skyrun/contracts';
import { buildPath } from './path.ts';
import { problemFromBody, unreachable } from './problems.ts';

export interface RequestParts {
  /** An object, as the operation's schema has checked at compile time. */
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends one request and returns its answer if it is a success; throws a Problem otherwise. */
export type Send = (operation: Operation, parts: RequestParts, token: string | null) => Promise<Response>;

export function createSend(fetchFn: typeof fetch): Send {
  return async (operation, { params, query, body, headers, signal }, token) => {
    const request: RequestInit = {
      method: operation.method.toUpperCase(),
      headers: {
        accept: operation.produces ?? (operation.streaming === true ? 'application/x-ndjson' : 'application/json'),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    let response: Response;
    try {
      response = await fetchFn(buildPath(operation.path, params, query), request);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw unreachable(error);
    }
    if (response.ok) return response;
    const answer: unknown = await response.json().catch(() => null);
    throw problemFromBody(response.status, answer, response.headers.get('retry-after'));
  };
}
