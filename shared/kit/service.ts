import type { Server } from 'node:http';
import type { Api } from './http/api.ts';

export interface Readiness {
  readonly ok: boolean;
  /** Name of a dependency → `ok`, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
}

/** One service, ready to be composed with others in a process or to run alone. */
export interface ServiceModule {
  readonly name: string;
  readonly api?: Api;
  /** Lets a module share the HTTP server, e.g. for socket.io. Called before listening. */
  attach?(server: Server): void;
  /** Resolves when it does its work. Rejects when it cannot. */
  start(): Promise<void>;
  /** Graceful; may come before start, during it, and twice. */
  stop(): Promise<void>;
  ready(): Readiness;
}
