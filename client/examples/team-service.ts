/** Counts, per Skyrun service, its instances and what they used, in tables of its own; README.md says how to run it. */
import { connectFromEnvironment } from '@skyrun/client';
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

/** Instances started and ended, requests, busy milliseconds. */
type Counts = readonly [number, number, number, number];
async function add(tx: Transaction, { project, service }: { project: string; service: string }, counts: Counts) {
  await tx.query(
    `insert into tally (project, service, instances_started, instances_ended, requests, busy_ms) values ($1,$2,$3,$4,$5,$6)
     on conflict (project, service) do update set instances_started = tally.instances_started + $3,
       instances_ended = tally.instances_ended + $4, requests = tally.requests + $5, busy_ms = tally.busy_ms + $6`,
    [project, service, ...counts],
  );
}
const skyrun = await connectFromEnvironment({ group: 'tally' });
const used = ({ requests, busyMs }: { requests: number; busyMs: number }): Counts => [0, 0, requests, busyMs];
skyrun
  .onceEach('skyrun.instance.started.v1', db, (tx, { data }) => add(tx, data, [1, 0, 0, 0]))
  .onceEach('skyrun.instance.stopped.v1', db, (tx, { data }) => add(tx, data, [0, 1, 0, 0]))
  .onceEach('skyrun.instance.failed.v1', db, (tx, { data }) => add(tx, data, [0, 1, 0, 0]))
  .onceEach(
    'skyrun.usage.recorded.v1',
    db,
    (tx, { data }) => add(tx, data, used(data)),
    ({ data }) => data.key,
  );
await skyrun.start();
logger.info('counting');
await skyrun.untilStopped();
await db.close();
