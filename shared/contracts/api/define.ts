import { z } from 'zod';
import type { Permission } from '../access.ts';
import type { ProblemCode } from '../problem.ts';
import type { Method, Operation, PlatformService } from './operation.ts';

const none = z.undefined();
const emptyObject = z.object({});
type None = typeof none;
type EmptyObject = typeof emptyObject;

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType> {
  readonly service: PlatformService;
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly response?: R;
  readonly status?: number;
  readonly problems?: readonly ProblemCode[];
  readonly rawBody?: readonly string[];
  readonly produces?: string;
  readonly streaming?: boolean;
}

export function defineOperation<
  P extends z.ZodType = EmptyObject,
  Q extends z.ZodType = EmptyObject,
  B extends z.ZodType = None,
  R extends z.ZodType = None,
>(id: string, definition: Definition<P, Q, B, R>): Operation<P, Q, B, R> {
  const { params, query, body, response, status, problems, ...rest } = definition;
  return {
    ...rest,
    id,
    params: (params ?? emptyObject) as P,
    query: (query ?? emptyObject) as Q,
    body: (body ?? none) as B,
    response: (response ?? none) as R,
    status: status ?? (response === undefined ? 204 : 200),
    problems: problems ?? [],
  };
}
