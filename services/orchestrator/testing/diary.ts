import { createLogger, type Logger } from '@skyrun/kit';

export interface Diary {
  /** Everything that is logged is kept, and nothing is printed. */
  readonly logger: Logger;
  /** The last of it, a line each: when, what, and with what. */
  read(): string;
}

const LAST_LINES = 400;
const LINE_CHARACTERS = 400;

/** For tests that fail too rarely to be run again with logs. */
export function keepDiary(): Diary {
  const lines: string[] = [];
  const destination = {
    write(line: string) {
      lines.push(line.replace(/"stack":"(?:[^"\\]|\\.)*",?/g, '').slice(0, LINE_CHARACTERS));
      if (lines.length > LAST_LINES) lines.shift();
    },
  };
  return {
    logger: createLogger({ service: 'orchestrator', level: 'debug', destination }),
    read: () => lines.map((line) => line.trimEnd()).join('\n'),
  };
}
