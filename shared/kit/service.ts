import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Authenticator } from './auth/authenticator.ts';
import type { Api } from './http/api.ts';

export interface Readiness {
  readonly ok: boolean;
  /** Name of a dependency → `ok`, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
}

/**
 * A protocol of somebody else, such as Kubernetes', below one path. It reads its requests and writes its errors itself, and asks
 * the authenticator for each request; nothing below the path is anybody's without it.
 */
export interface ForeignApi {
  /** In metrics and traces. */
  readonly name: string;
  /** E.g. `/kubernetes`; `request.url` has it no more. */
  readonly path: string;
  handle(request: IncomingMessage, response: ServerResponse, authenticator: Authenticator): Promise<void>;
}

/** One service, ready to be composed with others in a process or to run alone. */
export interface ServiceModule {
  readonly name: string;
  readonly api?: Api;
  readonly foreign?: ForeignApi;
  /** Lets a module share the HTTP server, e.g. for socket.io. Called before listening. */
  attach?(server: Server): void;
  /** Resolves when it does its work. Rejects when it cannot. */
  start(): Promise<void>;
  /** Graceful; may come before start, during it, and twice. */
  stop(): Promise<void>;
  ready(): Readiness;
}
