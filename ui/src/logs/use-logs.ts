import { type LogLine, OPERATIONS, type Problem } from '@skyrun/contracts';
import { useEffect, useState } from 'react';
import { useApi } from '../api/context.ts';
import { toProblem } from '../api/problems.ts';
import { LogBuffer, type NumberedLine } from './log-buffer.ts';

export type LogState = 'connecting' | 'following' | 'reconnecting';

/** Lines are shown at most this often, however fast they come. */
const PAINT_MS = 100;
const RETRY_MS = [500, 1000, 2000, 5000];
const FIRST_TAIL = 500;

interface Followed {
  readonly lines: readonly NumberedLine[];
  readonly state: LogState;
  readonly problem: Problem | null;
  readonly clear: () => void;
}

/** Follows the logs of a service for as long as the component is shown; reconnects by itself. */
export function useLogs(project: string, service: string): Followed {
  const api = useApi();
  const [buffer] = useState(() => new LogBuffer());
  const [lines, setLines] = useState<readonly NumberedLine[]>([]);
  const [state, setState] = useState<LogState>('connecting');
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let waiting: LogLine[] = [];
    let timer: number | undefined;
    const paint = () => {
      timer = undefined;
      buffer.push(waiting);
      waiting = [];
      setLines(buffer.lines);
    };
    const pause = (ms: number) =>
      new Promise<void>((resolve) => {
        const end = window.setTimeout(resolve, ms);
        signal.addEventListener('abort', () => {
          clearTimeout(end);
          resolve();
        });
      });

    async function follow() {
      for (let failures = 0; !signal.aborted; failures += 1) {
        try {
          const input = { params: { project, service }, query: { follow: 'true', tail: FIRST_TAIL }, signal };
          setState(failures === 0 ? 'connecting' : 'reconnecting');
          buffer.resume();
          const stream = api.stream(OPERATIONS.followLogs, input);
          // The first line may take for ever (nothing was logged); it is connected before that.
          setState('following');
          for await (const line of stream) {
            failures = 0;
            setProblem(null);
            waiting.push(line);
            timer ??= window.setTimeout(paint, PAINT_MS);
          }
        } catch (error) {
          if (signal.aborted) return;
          setProblem(toProblem(error));
        }
        if (signal.aborted) return;
        setState('reconnecting');
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000);
      }
    }

    void follow();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [api, buffer, project, service]);

  return {
    lines,
    state,
    problem,
    clear: () => {
      buffer.clear();
      setLines([]);
    },
  };
}
