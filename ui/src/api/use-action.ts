import type { Problem } from '@skyrun/contracts';
import { type FormEvent, useState } from 'react';
import { toast } from 'sonner';
import { toProblem } from './problems.ts';

export interface Action<Args extends readonly unknown[] = []> {
  /** It runs. */
  readonly busy: boolean;
  /** Why it failed the last time; null while it runs and after it went well. */
  readonly problem: Problem | null;
  readonly run: (...args: Args) => void;
  /** Runs it in place of a form's own sending. */
  readonly submit: (event: FormEvent, ...args: Args) => void;
  readonly clear: () => void;
}

/** What a button or a form does, with what a person must see of it. */
export function useAction<Args extends readonly unknown[] = []>(
  work: (...args: Args) => Promise<unknown>,
): Action<Args> {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  async function perform(args: Args) {
    setBusy(true);
    setProblem(null);
    try {
      await work(...args);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  }
  return {
    busy,
    problem,
    run: (...args) => void perform(args),
    submit(event, ...args) {
      event.preventDefault();
      void perform(args);
    },
    clear: () => setProblem(null),
  };
}

/**
 * An action of a row, where there is no room for a notice: what went wrong is a toast.
 * @param failure what did not happen, e.g. `The mail was not tried again`
 */
export function useRowAction<Args extends readonly unknown[] = []>(
  failure: string,
  work: (...args: Args) => Promise<unknown>,
): Pick<Action<Args>, 'busy' | 'run'> {
  const { busy, run } = useAction(async (...args: Args) => {
    try {
      await work(...args);
    } catch (error) {
      const { title, detail } = toProblem(error);
      toast.error(`${failure}: ${detail ?? title}`);
    }
  });
  return { busy, run };
}
