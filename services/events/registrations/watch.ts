import type { Registration } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Registrations } from './registrations.ts';

/** Also without a change: an expiry is told by nobody. */
const LOOK_MS = 2_000;
const MAX_SHOWN = 500;

/** Lists of one project's registrations as they change, for whoever watches in this process. */
export function createWatch({
  registrations,
  clock,
}: {
  readonly registrations: Registrations;
  readonly clock: Clock;
}) {
  const wakes = new Map<string, Set<() => void>>();

  function changed(project: string, within: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const set = wakes.get(project) ?? new Set();
      wakes.set(project, set);
      const done = () => {
        cancel();
        within.removeEventListener('abort', done);
        set.delete(done);
        if (set.size === 0) wakes.delete(project);
        resolve();
      };
      const cancel = clock.setTimeout(LOOK_MS, done);
      within.addEventListener('abort', done, { once: true });
      set.add(done);
      if (within.aborted) done();
    });
  }

  return {
    /** Something of a project has changed. */
    tell(project: string): void {
      for (const wake of [...(wakes.get(project) ?? [])]) wake();
    },
    /** All that are there now, then again whenever that is another list; ends with the signal. */
    async *watch(
      project: string,
      name: string | undefined,
      signal: AbortSignal,
    ): AsyncGenerator<{ items: Registration[] }> {
      let told = '';
      while (!signal.aborted) {
        const change = changed(project, signal);
        const { items } = await registrations.list(project, { limit: MAX_SHOWN, name });
        // Being seen again is no news.
        const news = JSON.stringify(items.map(({ seenAt: _, expiresAt: __, ...rest }) => rest));
        if (news !== told) yield { items };
        told = news;
        await change;
      }
    },
  };
}

export type Watch = ReturnType<typeof createWatch>;
