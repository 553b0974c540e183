import { isProblemCode, Problem, problemDetails } from '@skyrun/contracts';

/** Makes a Problem of an error answer's body; anything that is not problem+json becomes one that says so. */
export function problemFromBody(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const retry = Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {};
  const parsed = problemDetails.safeParse(body);
  if (!parsed.success) {
    const code = status === 401 ? 'auth.required' : status >= 500 ? 'platform.unavailable' : 'platform.internal';
    return new Problem(code, { detail: `The server answered ${status} without saying why. Try again.`, ...retry });
  }
  const { code, detail, title, errors } = parsed.data;
  if (!isProblemCode(code)) return new Problem('platform.internal', { detail: detail ?? title, ...retry });
  return new Problem(code, {
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...retry,
  });
}

export function unreachable(cause: unknown): Problem {
  return new Problem('platform.unavailable', {
    detail: 'Skyrun did not answer. Check that it runs (skyrun status), then try again.',
    cause,
  });
}

/** What went wrong, as a Problem, whatever was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('platform.internal', { detail: error instanceof Error ? error.message : String(error) });
}

/** The message for one form field, named by its JSON pointer into the body. */
export function fieldMessage(problem: Problem | null, pointer: string): string | undefined {
  const message = problem?.errors.find(({ field }) => field === pointer)?.message;
  return message === undefined ? undefined : plainMessage(message);
}

/** A schema's own words as a person would say them; what was written for people stays. */
export function plainMessage(message: string): string {
  // A form's number that is no number arrives at the schema as NaN; a person never wrote that.
  if (message.includes('received NaN')) return 'expected a number';
  if (message === 'Too small: expected string to have >=1 characters') return 'expected something here';
  const [, bound, value] = /^Too (?:small|big): expected \w+ to be ([<>]=?)(-?[\d.]+)$/.exec(message) ?? [];
  const words = bound === undefined ? undefined : BOUNDS[bound];
  return words === undefined ? message : `expected ${words} ${value}`;
}

const BOUNDS: Readonly<Record<string, string>> = {
  '>=': 'at least',
  '>': 'more than',
  '<=': 'at most',
  '<': 'less than',
};
