import type { EventBus } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import { createDeadLetterDesk } from './desk.ts';

export function bindDeadLetters(api: Api, bus: EventBus): void {
  const desk = createDeadLetterDesk(bus);
  api.handle(OPERATIONS.listDeadLetterGroups, async () => ({ items: await desk.groups() }));
  api.handle(OPERATIONS.listDeadLetters, async ({ params, query }) => {
    const { items, next } = await desk.list(params.group, query);
    return { items: [...items], nextCursor: next };
  });
  api.handle(OPERATIONS.replayDeadLetters, async ({ params, body }) => ({
    replayed: await desk.replay(params.group, body.ids),
  }));
  api.handle(OPERATIONS.discardDeadLetters, async ({ params, body, caller }) => ({
    discarded: await desk.discard(params.group, body.ids, `${body.reason} (${caller?.userId})`),
  }));
}
