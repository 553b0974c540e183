import type { Problem } from '@skyrun/contracts';
import { type FormEvent, useState } from 'react';
import { toProblem } from './problems.ts';

export interface Action {
  /** It runs. */
  readonly busy: boolean;
  /** Why it failed the last time; null while it runs and after it went well. */
  readonly problem: Problem | null;
  readonly run: () => void;
  /** Runs it in place of a form's own sending. */
  readonly submit: (event: FormEvent) => void;
  readonly clear: () => void;
}

/** What a button or a form does, with what a person must see of it. */
export function useAction(work: () => Promise<void>): Action {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  async function perform() {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  }
  return {
    busy,
    problem,
    run: () => void perform(),
    submit(event) {
      event.preventDefault();
      void perform();
    },
    clear: () => setProblem(null),
  };
}
