/**
 * A relay that kills itself: `node relay-kill.fixture.ts <kind> <busUrl> <databaseUrl> <never|before|after>`.
 * before: the claim is made, nothing is published. after: the broker has confirmed, nothing is marked.
 */
import { createBus } from '@skyrun/bus';
import { silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase, createOutboxRelay, type EventPublisher } from '@skyrun/postgres';

const [kind, busUrl = '', databaseUrl = '', when] = process.argv.slice(2);
if (kind !== 'redis' && kind !== 'rabbitmq') throw new Error('kind: expected redis or rabbitmq');

const logger = silentLogger;
const bus = await createBus({ kind, url: busUrl, clock: systemClock, logger });
const db = createDatabase({ url: databaseUrl, schema: 'registry', applicationName: 'killed relay', logger });
const die = () => process.kill(process.pid, 'SIGKILL');
// The second batch, so that some is sent and some is not.
let batches = 0;

const fatal: EventPublisher = {
  async publish(events) {
    batches += 1;
    if (when === 'before' && batches === 2) die();
    await bus.publish(events);
    if (when === 'after' && batches === 2) die();
  },
};

await createOutboxRelay({ db, bus: fatal, clock: systemClock, logger, batchSize: 10 }).start();
