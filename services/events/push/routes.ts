import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, reply } from '@skyrun/kit';
import type { Subscriptions } from './subscriptions.ts';

/** `current` is null where there is no Redis to deliver with. */
export function bindSubscriptions(api: Api, current: () => Subscriptions | null): void {
  const here = (): Subscriptions => {
    const subscriptions = current();
    if (subscriptions) return subscriptions;
    throw new Problem('platform.unavailable', {
      detail: 'push subscriptions need SKYRUN_REDIS_URL and SKYRUN_WEBHOOK_KEY_SECRET',
    });
  };
  const keyOf = ({ project, subscription }: { project: string; subscription: string }) => ({
    project,
    id: subscription,
  });

  api.handle(OPERATIONS.createSubscription, async ({ params: { project }, body }) => {
    const made = await here().create(project, body);
    return reply(made, { headers: { location: `/api/v1/projects/${project}/subscriptions/${made.id}` } });
  });
  api.handle(OPERATIONS.listSubscriptions, ({ params, query }) => here().list(params.project, query));
  api.handle(OPERATIONS.getSubscription, ({ params }) => here().get(keyOf(params)));
  api.handle(OPERATIONS.updateSubscription, ({ params, body }) => here().change(keyOf(params), body));
  api.handle(OPERATIONS.deleteSubscription, async ({ params }) => {
    await here().remove(keyOf(params));
    return undefined;
  });
  api.handle(OPERATIONS.rotateSubscriptionSecret, ({ params }) => here().rotate(keyOf(params)));
  api.handle(OPERATIONS.testSubscription, ({ params, signal }) => here().test(keyOf(params), signal));
  api.handle(OPERATIONS.replaySubscription, ({ params, body }) => here().replay(keyOf(params), body));
  api.handle(OPERATIONS.listDeliveries, ({ params, query }) => here().deliveries(keyOf(params), query));
  api.handle(OPERATIONS.retryDelivery, ({ params }) => here().retry(keyOf(params), params.delivery));
}
