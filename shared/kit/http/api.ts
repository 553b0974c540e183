import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Operation } from '@skyrun/contracts';
import type { z } from 'zod';
import type { Caller } from '../auth/authenticator.ts';

export interface Call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  /** Checked by the operation's schemas. */
  readonly params: z.infer<P>;
  readonly query: z.infer<Q>;
  readonly body: z.infer<B>;
  /** Null only for `public` operations. The operation's permission is already checked. */
  readonly caller: Caller | null;
  readonly headers: IncomingHttpHeaders;
  /** The raw request: the body of `rawBody` operations is read from it. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
}

/** An answer with more than a body. A `raw` body goes out as it is, under its content type. */
export class Reply<Body> {
  readonly body: Body | undefined;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: Buffer | undefined;

  constructor(fields: { body?: Body; status?: number; headers?: Readonly<Record<string, string>>; raw?: Buffer }) {
    this.body = fields.body;
    this.status = fields.status;
    this.headers = fields.headers ?? {};
    this.raw = fields.raw;
  }
}

export function reply<Body>(
  body: Body,
  options: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Reply<Body> {
  return new Reply({ body, ...options });
}

/** A file: bytes under a content type, with the name a browser saves it by. */
export function fileReply(bytes: Buffer, contentType: string, fileName: string): Reply<never> {
  return new Reply<never>({
    raw: bytes,
    headers: { 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"` },
  });
}

/** 304 or another answer without a body. */
export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply<never> {
  return new Reply<never>({ status, headers });
}

/** Thrown nowhere, returned by handlers that have written the response themselves. */
export const HANDLED = Symbol('handled');

export type HandlerResult<R extends z.ZodType> =
  | z.input<R>
  | Reply<z.input<R>>
  | Reply<never>
  | AsyncIterable<z.input<R>>
  | typeof HANDLED;

export type Handler<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType> = (
  call: Call<P, Q, B>,
) => Promise<HandlerResult<R>> | HandlerResult<R>;

export interface Binding {
  readonly operation: Operation;
  readonly handler: Handler<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;
}

/** A service's operations, bound to handlers. */
export interface Api {
  handle<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    operation: Operation<P, Q, B, R>,
    handler: Handler<P, Q, B, R>,
  ): void;
  readonly bindings: readonly Binding[];
}

export function createApi(): Api {
  const bindings: Binding[] = [];
  return {
    bindings,
    handle(operation, handler) {
      if (bindings.some((binding) => binding.operation.id === operation.id)) {
        throw new Error(`${operation.id} is bound twice`);
      }
      bindings.push({ operation, handler: handler as Binding['handler'] });
    },
  };
}
