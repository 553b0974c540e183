/**
 * A team service: counts, per Skyrun service, the instances that started and ended and what they used, in tables of its own.
 * Kill it whenever you like; nothing is missed and nothing counts twice. README.md beside it says how to run it.
 */
import { applyOnce, connectSkyrun } from '@skyrun/client';
import { configTypes, createLogger, defineConfig, loadConfig } from '@skyrun/kit';
import { createDatabase, type Transaction } from '@skyrun/postgres';
import { z } from 'zod';

const config = loadConfig(
  defineConfig('tally', {
    SKYRUN_BUS: { schema: z.enum(['redis', 'rabbitmq']), default: 'redis', doc: 'which broker carries the events' },
    SKYRUN_BUS_URL: { schema: configTypes.url, doc: 'address of the broker', secret: true },
    TALLY_DATABASE_URL: { schema: configTypes.url, doc: 'this team’s own PostgreSQL', secret: true },
    TALLY_LOG_LEVEL: { schema: configTypes.logLevel, default: 'info', doc: 'how much to say' },
  }),
);

const logger = createLogger({ service: 'tally', level: config.TALLY_LOG_LEVEL });
const db = createDatabase({ url: config.TALLY_DATABASE_URL, schema: 'tally', applicationName: 'tally', logger });
await db.migrate(new URL('./migrations/', import.meta.url));

interface ServiceName {
  readonly project: string;
  readonly service: string;
}

type Column = 'instances_started' | 'instances_ended' | 'requests' | 'busy_ms';

async function add(tx: Transaction, { project, service }: ServiceName, column: Column, amount: number) {
  await tx.query(
    `insert into tally (project, service, ${column}) values ($1, $2, $3)
     on conflict (project, service) do update set ${column} = tally.${column} + excluded.${column}`,
    [project, service, amount],
  );
}

const skyrun = await connectSkyrun({ kind: config.SKYRUN_BUS, url: config.SKYRUN_BUS_URL, group: 'tally', logger });

skyrun
  .on('skyrun.instance.*', async (event) => {
    const column = event.type === 'skyrun.instance.started.v1' ? 'instances_started' : endedColumn(event.type);
    if (!column) return;
    await db.transaction((tx) => applyOnce(tx, 'tally', event, () => add(tx, event.data, column, 1)));
  })
  .on('skyrun.usage.*', async (event) => {
    if (event.type !== 'skyrun.usage.recorded.v1') return;
    const { key, requests, busyMs } = event.data;
    // Usage carries a key that is unique for ever, whatever event brings it.
    const identity = { source: 'usage', id: key };
    await db.transaction((tx) =>
      applyOnce(tx, 'tally', identity, async () => {
        await add(tx, event.data, 'requests', requests);
        await add(tx, event.data, 'busy_ms', busyMs);
      }),
    );
  });

function endedColumn(type: string): Column | null {
  return type === 'skyrun.instance.stopped.v1' || type === 'skyrun.instance.failed.v1' ? 'instances_ended' : null;
}

const stop = async () => {
  await skyrun.stop();
  await db.close();
  logger.info('stopped');
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());

await skyrun.start();
logger.info('counting');
