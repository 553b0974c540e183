import type { z } from 'zod';
import type { Permission } from '../access.ts';
import type { ProblemCode } from '../problem.ts';

/** The services that answer HTTP; the gateway sends an operation's path to its owner. */
export const PLATFORM_SERVICES = ['identity', 'registry', 'orchestrator', 'events', 'billing'] as const;
export type PlatformService = (typeof PLATFORM_SERVICES)[number];

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * One HTTP operation. Servers bind handlers to it, clients call it, the gateway routes by it and OpenAPI is
 * generated from it, so none of them can differ.
 */
export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  readonly id: string;
  readonly service: PlatformService;
  readonly method: Method;
  /** OpenAPI path, e.g. `/api/v1/projects/{project}/services`. */
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly response: Response;
  /** Status of success. 204 has no body. */
  readonly status: number;
  readonly problems: readonly ProblemCode[];
  /** The request body is a raw stream, not JSON: its media types. */
  readonly rawBody?: readonly string[];
  /**
   * The response is a file, not JSON: its media type. With `text/event-stream` it goes on for as long as the client
   * stays; the handler writes it and returns `HANDLED`.
   */
  readonly produces?: string;
  /** The response is NDJSON, one `response` a line, for as long as the client stays. */
  readonly streaming?: boolean;
}
