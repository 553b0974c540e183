import type { EventBus, Subscription } from '@skyrun/bus';
import { isEvent, NOTICE_TYPES, PLATFORM_GROUPS } from '@skyrun/contracts';
import type { BillingContext } from '../context.ts';
import { tellContacts } from './manage-mails.ts';

/** Billing's own events come back from the bus as mails; acknowledged when the mails are queued. */
export function subscribeNotices(bus: Pick<EventBus, 'subscribe'>, context: BillingContext): Promise<Subscription> {
  return bus.subscribe({
    ...PLATFORM_GROUPS.billingNotices,
    prefetch: 16,
    async handler(event) {
      for (const type of NOTICE_TYPES) if (isEvent(event, type)) await tellContacts(context, event);
    },
  });
}
