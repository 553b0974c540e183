import { KNATIVE_GROUP, type Problem, type ProblemCode } from '@skyrun/contracts';
import { toProblem } from '@skyrun/kit';
import type { JsonObject } from './json.ts';

/** Kubernetes' answer that is not an object: what went wrong, in a form that its clients act upon. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly Cause[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    options: { causes?: readonly Cause[]; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.causes = options.causes ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Which object a Status is about. */
export interface About {
  readonly resource: string;
  readonly name?: string | null;
  readonly core?: boolean;
}

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message);
export const expired = (message: string) => new StatusError(410, 'Expired', message);
export const conflict = (about: About, why: string) =>
  new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${nameOf(about)}: ${why}`);
export const methodNotAllowed = (why: string) => new StatusError(405, 'MethodNotAllowed', why);

/** 422 with a cause for each field, as `kubectl` prints them. */
export function invalid(about: About, causes: readonly Cause[]): StatusError {
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const what = list.length === 1 ? (list[0] ?? '') : `[${list.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${nameOf(about)} is invalid: ${what}`, { causes });
}

const REASONS: Partial<Record<ProblemCode, readonly [code: number, reason: string]>> = {
  'auth.required': [401, 'Unauthorized'],
  'auth.invalid_token': [401, 'Unauthorized'],
  'auth.forbidden': [403, 'Forbidden'],
  'resource.not_found': [404, 'NotFound'],
  'resource.already_exists': [409, 'AlreadyExists'],
  'resource.conflict': [409, 'Conflict'],
  'resource.precondition_failed': [409, 'Conflict'],
  'resource.in_use': [409, 'Conflict'],
  'request.too_large': [413, 'RequestEntityTooLarge'],
  'request.unsupported_media_type': [415, 'UnsupportedMediaType'],
  'platform.unavailable': [503, 'ServiceUnavailable'],
};

/** Any error in Kubernetes' form. What is not ours becomes 500 without its message. */
export function toStatusError(error: unknown, about: About): StatusError {
  if (error instanceof StatusError) return error;
  const problem = toProblem(error);
  const { retryAfterSeconds } = problem;
  if (problem.code === 'request.invalid' && problem.errors.length > 0) return invalid(about, causesOf(problem));
  const imageMissing = problem.code === 'resource.not_found' && problem.errors.length > 0;
  if (imageMissing) return invalid(about, causesOf(problem));
  const [code, reason] = REASONS[problem.code] ?? byStatus(problem.status);
  const message =
    problem.code === 'resource.already_exists' ? `${nameOf(about)} already exists` : (problem.detail ?? problem.title);
  return new StatusError(code, reason, message, { retryAfterSeconds, cause: error });
}

function byStatus(status: number): readonly [number, string] {
  if (status === 429) return [429, 'TooManyRequests'];
  if (status >= 500) return [status, 'InternalError'];
  return [status, status === 422 ? 'Invalid' : 'BadRequest'];
}

/** JSON pointers become Kubernetes' paths: `/spec/traffic/0/tag` → `spec.traffic[0].tag`. */
function causesOf(problem: Problem): Cause[] {
  return problem.errors.map(({ field, message }) => ({
    reason: 'FieldValueInvalid',
    message,
    field: fieldPath(field),
  }));
}

export function fieldPath(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  return parts
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, index) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      if (/[./]/.test(part)) return `[${part}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

function nameOf({ resource, name, core }: About): string {
  const qualified = core ? resource : `${resource}.${KNATIVE_GROUP}`;
  return name ? `${qualified} "${name}"` : qualified;
}

export function notFound(about: About): StatusError {
  return new StatusError(404, 'NotFound', `${nameOf(about)} not found`);
}

export function statusOf(error: StatusError, about: About): JsonObject {
  const { code, reason, message, causes, retryAfterSeconds } = error;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    details: {
      ...(about.name ? { name: about.name } : {}),
      ...(about.core ? {} : { group: KNATIVE_GROUP }),
      kind: about.resource,
      ...(causes.length === 0 ? {} : { causes: causes.map((cause) => ({ ...cause })) }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterSeconds) }),
    },
    code,
  };
}

export function successOf(about: About & { readonly uid: string }): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: about.name ?? '', group: KNATIVE_GROUP, kind: about.resource, uid: about.uid },
  };
}
