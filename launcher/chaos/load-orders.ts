import { OPERATIONS, Problem } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import type { Call } from './call.ts';
import { SHOP } from './names.ts';

const TYPE = 'team.shop.order.placed.v1';
/** Commands in one call, and the subjects they are about. */
const IN_A_CALL = 20;
const SUBJECTS = 5;
/** Calls after which a publisher turns to new subjects. */
const CALLS_PER_SUBJECT = 20;

/** The project and the schema under which a team publishes. */
export async function prepareShop(client: Client): Promise<void> {
  await client.call(OPERATIONS.createProject, { body: { name: SHOP } }).catch((error: unknown) => {
    if (!(error instanceof Problem && error.code === 'resource.already_exists')) throw error;
  });
  await client.call(OPERATIONS.registerEventSchema, {
    params: { project: SHOP, type: TYPE },
    body: {
      summary: 'An order was placed',
      subject: 'orders/{id}',
      schema: { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'] },
    },
  });
}

/** Many commands a call: orders, each with an id of the publisher's, so that a call may be sent again. */
export function* ordersOf(label: string): Generator<Call, never> {
  for (let call = 0; ; call += 1) {
    const round = Math.floor(call / CALLS_PER_SUBJECT);
    const orders = Array.from({ length: IN_A_CALL }, (_, index) => {
      const number = call * IN_A_CALL + index;
      return { number, subject: `orders/${label}-${round}-${index % SUBJECTS}` };
    });
    yield {
      // As the team service writes it down: the event's data.
      commands: orders.map(({ subject, number }) => ({ subject, item: JSON.stringify({ number }) })),
      send: (client, signal) =>
        client.call(OPERATIONS.publishEvents, {
          params: { project: SHOP },
          body: {
            events: orders.map(({ subject, number }) => ({
              id: `${label}-${number}`,
              type: TYPE,
              subject,
              data: { number },
            })),
          },
          signal,
        }),
    };
  }
}
