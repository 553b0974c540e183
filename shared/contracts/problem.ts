import { z } from 'zod';

/**
 * Every problem a Skyrun API can answer: a stable dotted code → HTTP status and title (RFC 9457).
 * A caller matches on `code`; `detail` is prose for a person and says what to change.
 */
export const PROBLEMS = {
  'request.invalid': { status: 400, title: 'The request is not valid' },
  'request.timeout': { status: 408, title: 'The request did not come in time' },
  'request.too_large': { status: 413, title: 'The request is too large' },
  'request.expectation_failed': { status: 417, title: 'The Expect header asks for something unknown' },
  'request.unsupported_media_type': { status: 415, title: 'The content type is not supported' },
  'request.idempotency_conflict': { status: 422, title: 'The Idempotency-Key was used with another request' },
  'auth.required': { status: 401, title: 'Sign in first' },
  'auth.invalid_credentials': { status: 401, title: 'E-mail or password is wrong' },
  'auth.invalid_token': { status: 401, title: 'The token is not valid' },
  'auth.refresh_reused': { status: 401, title: 'The refresh token was already used' },
  'auth.forbidden': { status: 403, title: 'You may not do this' },
  'auth.signup_disabled': { status: 403, title: 'Sign-up is disabled' },
  'auth.throttled': { status: 429, title: 'Too many attempts' },
  'resource.not_found': { status: 404, title: 'Not found' },
  'resource.method_not_allowed': { status: 405, title: 'Method not allowed' },
  'resource.already_exists': { status: 409, title: 'It exists already' },
  'resource.conflict': { status: 409, title: 'It does not go with how things are now' },
  'resource.in_use': { status: 409, title: 'It is in use' },
  'resource.limit_reached': { status: 403, title: 'No more of these are allowed' },
  'resource.precondition_failed': { status: 412, title: 'If-Match does not hold' },
  'image.not_an_archive': { status: 422, title: 'Not an image archive' },
  'image.truncated': { status: 422, title: 'The archive is cut off' },
  'image.unsafe_path': { status: 422, title: 'The archive holds a path that leaves it' },
  'image.unsafe_link': { status: 422, title: 'The archive holds a link that leaves it' },
  'image.unsafe_entry': { status: 422, title: 'The archive holds an entry that is not allowed' },
  'image.duplicate_entry': { status: 422, title: 'The archive holds the same path twice' },
  'image.manifest_invalid': { status: 422, title: 'The image manifest is not valid' },
  'image.config_invalid': { status: 422, title: 'The image configuration is not valid' },
  'image.digest_mismatch': { status: 422, title: 'Contents and digest differ' },
  'image.size_mismatch': { status: 422, title: 'Contents and size differ' },
  'image.layer_missing': { status: 422, title: 'A layer is missing' },
  'image.wrong_platform': { status: 422, title: 'The image is for another platform' },
  'image.multiple_images': { status: 422, title: 'The archive holds more than one image' },
  'image.foreign_tag': { status: 403, title: 'The archive carries a name of another project' },
  'image.too_large': { status: 413, title: 'The image is too large' },
  'image.too_many_entries': { status: 413, title: 'The archive has too many entries' },
  'image.import_failed': { status: 502, title: 'The container engine refused the image' },
  'gateway.no_route': { status: 404, title: 'No service at this host' },
  'gateway.queue_full': { status: 503, title: 'Too many requests are waiting' },
  'gateway.queue_timeout': { status: 504, title: 'No instance became ready in time' },
  'gateway.upstream_failed': { status: 502, title: 'The service did not answer properly' },
  'gateway.upstream_timeout': { status: 504, title: 'The service did not answer in time' },
  'gateway.rate_limited': { status: 429, title: 'Too many requests' },
  'gateway.project_paused': { status: 503, title: 'This service is paused' },
  'gateway.maintenance': { status: 503, title: 'The service is closed for maintenance' },
  'gateway.address_refused': { status: 403, title: 'Requests from this address are not taken' },
  'gateway.circuit_open': { status: 503, title: 'The service is failing; try again shortly' },
  'event.unknown_type': { status: 422, title: 'The event type has no registered schema' },
  'event.invalid_data': { status: 422, title: 'The event does not fit its schema' },
  'event.incompatible_schema': { status: 409, title: 'The schema would break who reads or writes these events' },
  'feed.too_slow': { status: 429, title: 'The client reads more slowly than events come' },
  'billing.invoice_settled': { status: 409, title: 'The invoice is paid or void' },
  'billing.credit_too_large': { status: 422, title: 'The credit is more than what is left of the invoice' },
  'billing.period_open': { status: 409, title: 'The period is still open' },
  'platform.unavailable': { status: 503, title: 'A part of the platform is not available' },
  'platform.disk_full': { status: 507, title: 'No space is left' },
  'platform.internal': { status: 500, title: 'Something went wrong' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export const fieldError = z.object({
  /** Where: a JSON pointer into the body, or the name of the parameter. */
  field: z.string(),
  /** What was expected, in words. */
  message: z.string(),
});
export type FieldError = z.infer<typeof fieldError>;

/** RFC 9457 problem details, `application/problem+json`. */
export const problemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  errors: z.array(fieldError).optional(),
});
export type ProblemDetails = z.infer<typeof problemDetails>;

export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds for a `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An error with a stable code; the HTTP layer turns it into problem+json, the CLI into one line and an exit code. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? PROBLEMS[code].title, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.title = PROBLEMS[code].title;
    this.detail = options.detail;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  toDetails(): ProblemDetails {
    return {
      type: `https://skyrun.dev/problems/${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.errors.length === 0 ? {} : { errors: [...this.errors] }),
    };
  }
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** One field error per zod issue, with a JSON pointer. */
export function fieldErrors(error: z.ZodError, prefix = ''): FieldError[] {
  return error.issues.map((issue) => ({
    field: `${prefix}/${issue.path.map(String).join('/')}`,
    message: issue.message,
  }));
}
