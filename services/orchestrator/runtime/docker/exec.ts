import type Docker from 'dockerode';
import { hasStatus, toRuntimeError } from './errors.ts';

/** Beside the program's own time: an engine that hangs is away. */
const ANSWER_WITHIN_MS = 10_000;

/** Runs a program in a container; its output is read and dropped. Null when the container does not run or the time is over. */
export async function execIn(
  container: Docker.Container,
  command: readonly string[],
  timeoutMs: number,
): Promise<number | null> {
  try {
    const abortSignal = AbortSignal.timeout(timeoutMs + ANSWER_WITHIN_MS);
    const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, abortSignal });
    const output = await exec.start({ Detach: false, Tty: false, abortSignal });
    const ended = await endOf(output, timeoutMs);
    if (!ended) return null;
    const { ExitCode } = await exec.inspect({ abortSignal });
    return ExitCode;
  } catch (error) {
    // 409: it is paused or has ended meanwhile.
    if (hasStatus(error, 404, 409)) return null;
    // 400: there is no such program, which is the image's fault and not the engine's.
    if (hasStatus(error, 400)) return 127;
    throw toRuntimeError(error, 'unavailable');
  }
}

function endOf(output: NodeJS.ReadableStream & { destroy?: () => void }, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      output.destroy?.();
      resolve(false);
    }, timeoutMs);
    const finish = (settle: () => void) => () => {
      clearTimeout(timer);
      settle();
    };
    output.on(
      'end',
      finish(() => resolve(true)),
    );
    output.on(
      'close',
      finish(() => resolve(true)),
    );
    output.on('error', (error: Error) => finish(() => reject(error))());
    output.resume();
  });
}
