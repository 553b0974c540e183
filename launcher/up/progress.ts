export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Progress {
  /** Show `title` with its elapsed time while `work` runs, and how it ended. */
  step<Result>(title: string, work: (note: (detail: string) => void) => Promise<Result>): Promise<Result>;
  line(text: string): void;
}

/** Without a terminal, a step that takes long says so every so many milliseconds. */
const REMINDER_MS = 10_000;
const REDRAW_MS = 100;

/** One step at a time: a line that is redrawn on a terminal, and plain lines anywhere else. */
export function createProgress(out: ProgressStream): Progress {
  const tty = out.isTTY === true;
  const seconds = (from: number): string => `${((performance.now() - from) / 1_000).toFixed(1)} s`;
  return {
    line: (text) => {
      out.write(`${text}\n`);
    },
    step: async (title, work) => {
      const from = performance.now();
      let detail = '';
      const draw = (): void => {
        const text = `  … ${title}${detail === '' ? '' : ` (${detail})`}  ${seconds(from)}`;
        out.write(tty ? `\r\x1b[2K${text}` : `${text}\n`);
      };
      const timer = setInterval(draw, tty ? REDRAW_MS : REMINDER_MS);
      const finish = (mark: string): void => {
        clearInterval(timer);
        out.write(`${tty ? '\r\x1b[2K' : ''}  ${mark} ${title}  ${seconds(from)}\n`);
      };
      try {
        const result = await work((text) => {
          detail = text;
        });
        finish('✓');
        return result;
      } catch (error) {
        finish('✗');
        throw error;
      }
    },
  };
}
