/** Keeps a journal of what happens in Skyrun, each event once, in a database of its own; README.md says how to run it. */
import { connectFromEnvironment } from '@skyrun/client';
import type { EventEnvelope } from '@skyrun/contracts';
import { configTypes, createLogger, defineConfig, loadConfig } from '@skyrun/kit';
import { createDatabase, type Transaction } from '@skyrun/postgres';

const { TALLY_DATABASE_URL: url } = loadConfig(
  defineConfig('tally', {
    TALLY_DATABASE_URL: { schema: configTypes.url, doc: 'this team’s own PostgreSQL', secret: true },
  }),
);
const logger = createLogger({ service: 'tally' });
const db = createDatabase({ url, schema: 'tally', applicationName: 'tally', logger });
await db.migrate(new URL('./migrations/', import.meta.url));

/** @param item what it is about: a service, a member, an order */
async function write(tx: Transaction, event: EventEnvelope, item: string, requests = 0, busyMs = 0) {
  await tx.query(
    'insert into journal (subject, type, sequence, project, item, requests, busy_ms) values ($1, $2, $3, $4, $5, $6, $7)',
    [event.subject, event.type, event.sequence, event.project ?? '', item, requests, busyMs],
  );
}
const skyrun = await connectFromEnvironment({ group: 'tally' });
skyrun
  .onceEach('skyrun.project.created.v1', db, (tx, event) => write(tx, event, ''))
  .onceEach('skyrun.member.added.v1', db, (tx, event) => write(tx, event, event.data.userId))
  .onceEach('skyrun.instance.started.v1', db, (tx, event) => write(tx, event, event.data.service))
  .onceEach('skyrun.instance.stopped.v1', db, (tx, event) => write(tx, event, event.data.service))
  .onceEach('skyrun.instance.failed.v1', db, (tx, event) => write(tx, event, event.data.service))
  .onceEach(
    'skyrun.usage.recorded.v1',
    db,
    (tx, event) => write(tx, event, event.data.service, event.data.requests, event.data.busyMs),
    ({ data }) => data.key,
  )
  .onceEach('team.shop.order.placed.v1', db, (tx, event) => write(tx, event, JSON.stringify(event.data)));
await skyrun.start();
logger.info('counting');
await skyrun.untilStopped();
await db.close();
