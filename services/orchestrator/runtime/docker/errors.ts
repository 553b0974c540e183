import { RuntimeError, type RuntimeProblem } from '../runtime.ts';

interface EngineError {
  /** HTTP status of the engine's answer; absent when it did not answer. */
  readonly status: number | undefined;
  readonly message: string;
}

export function readEngineError(error: unknown): EngineError {
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : undefined;
  const json = error instanceof Error && 'json' in error ? error.json : undefined;
  const said = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  return { status, message: typeof said === 'string' ? said : error instanceof Error ? error.message : String(error) };
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const { status } = readEngineError(error);
  return status !== undefined && statuses.includes(status);
}

/** What it says where a part of it is away, as its containerd after a crash; nothing of that is the container's fault. */
const HALF_AWAY =
  /connection error: desc|transport is closing|ttrpc: closed|code = Unavailable|: unavailable$|context deadline exceeded/i;

function isHalfAway(status: number, message: string): boolean {
  // What the runtime says of the container's own program may hold any words.
  return status >= 500 && HALF_AWAY.test(message.trim()) && !/OCI runtime/i.test(message);
}

/**
 * The engine's refusal as a verdict. What it did not answer at all, or answered while it was stopping or a part of it was
 * away, is `unavailable`.
 */
export function toRuntimeError(error: unknown, verdict: RuntimeProblem): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const { status, message } = readEngineError(error);
  if (
    status === undefined ||
    status === 503 ||
    isHalfAway(status, message) ||
    /is shutting down|context canceled/i.test(message)
  ) {
    return new RuntimeError('unavailable', `the container engine does not answer: ${message}`, error);
  }
  if (status === 404 && /no such image/i.test(message)) {
    return new RuntimeError('image_missing', 'the container engine does not hold the image', error);
  }
  if (/no available IPv4 addresses|no space left|cannot allocate memory/i.test(message)) {
    return new RuntimeError('no_capacity', message, error);
  }
  return new RuntimeError(verdict, message.trim(), error);
}
