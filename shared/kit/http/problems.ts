import type { ServerResponse } from 'node:http';
import { Problem } from '@skyrun/contracts';

/** Any error as a problem; what is not ours becomes `platform.internal` without its message. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && 'type' in error && 'status' in error) {
    // Errors of express.json: entity.too.large, entity.parse.failed, encoding.unsupported, …
    if (error.type === 'entity.too.large') return new Problem('request.too_large', { cause: error });
    if (error.type === 'encoding.unsupported' || error.type === 'charset.unsupported') {
      return new Problem('request.unsupported_media_type', { detail: error.message, cause: error });
    }
    if (typeof error.status === 'number' && error.status >= 400 && error.status < 500) {
      return new Problem('request.invalid', { detail: 'the body is not valid JSON', cause: error });
    }
  }
  if (error instanceof URIError)
    return new Problem('request.invalid', { detail: 'the path is not valid', cause: error });
  if (isUnavailable(error)) return new Problem('platform.unavailable', { retryAfterSeconds: 1, cause: error });
  return new Problem('platform.internal', { cause: error });
}

/** Errors by which a driver says that its server is away: the caller should come back, nothing is broken. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT|57P0[123]|08\w{3})$/.test(code)) return true;
  return /Connection terminated|timeout exceeded when trying to connect/.test(error.message);
}

export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = problem.status;
  response.setHeader('content-type', 'application/problem+json');
  if (problem.retryAfterSeconds !== undefined) {
    response.setHeader('retry-after', String(Math.ceil(problem.retryAfterSeconds)));
  }
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer realm="skyrun"');
  response.end(JSON.stringify(problem.toDetails()));
}
