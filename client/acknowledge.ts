import type { DeliveryContext } from '@skyrun/bus';
import type { HandlerContext } from './types.ts';

/**
 * Runs a handler. Automatic: settled as the handler ends. Manual: settled by `ack` or `fail`, whenever that is, also long after the
 * handler has returned; a handler that throws has failed. The event counts as in flight until then, which is what keeps the
 * order of its subject and holds the broker back.
 */
export async function settled(
  mode: 'automatic' | 'manual',
  context: DeliveryContext,
  handle: (context: HandlerContext) => Promise<void>,
): Promise<void> {
  const settling = Promise.withResolvers<void>();
  // A failure that comes while the handler still runs is looked at when it has ended.
  settling.promise.catch(() => undefined);
  const onLost = () => settling.reject(context.signal.reason);
  context.signal.addEventListener('abort', onLost, { once: true });
  try {
    await handle({ ...context, ack: () => settling.resolve(), fail: (reason) => settling.reject(reason) });
    if (mode === 'manual') await settling.promise;
  } finally {
    context.signal.removeEventListener('abort', onLost);
  }
}
