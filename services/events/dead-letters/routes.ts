import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import type { DeadLetterDesk } from './desk.ts';

export function bindDeadLetters(api: Api, desk: DeadLetterDesk): void {
  api.handle(OPERATIONS.listDeadLetterGroups, async () => ({ items: await desk.groups() }));
  api.handle(OPERATIONS.listDeadLetters, async ({ params, query }) => {
    const { items, next } = await desk.list(params.group, query);
    return { items, nextCursor: next };
  });
  api.handle(OPERATIONS.replayDeadLetters, async ({ params, body }) => ({
    replayed: await desk.replay(params.group, body.ids),
  }));
  api.handle(OPERATIONS.discardDeadLetters, async ({ params, body, caller }) => ({
    discarded: await desk.discard(params.group, body.ids, `${body.reason} (${caller?.userId})`),
  }));
}
