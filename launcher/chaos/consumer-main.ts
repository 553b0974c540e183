/**
 * The laboratory's team service: its effect is one row per command in its own PostgreSQL, written together with the inbox's
 * mark. Several copies of it run; it is killed, stopped and cut off like everybody else.
 */
import { applyOnce, connectSkyrun } from '@skyrun/client';
import type { AnyEvent } from '@skyrun/contracts';
import { configTypes, createLogger, defineConfig, loadConfig } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { z } from 'zod';
import { CONSUMER_GROUP } from './names.ts';

const config = loadConfig(
  defineConfig('chaos consumer', {
    CHAOS_BUS: { schema: z.enum(['redis', 'rabbitmq']), doc: 'which broker carries the events' },
    CHAOS_BUS_URL: { schema: configTypes.url, doc: 'address of the broker', secret: true },
    CHAOS_DATABASE_URL: { schema: configTypes.url, doc: 'where effects are written', secret: true },
  }),
);

const logger = createLogger({ service: 'chaos-consumer', level: 'info' });
const db = createDatabase({
  url: config.CHAOS_DATABASE_URL,
  schema: 'chaos',
  applicationName: 'chaos-consumer',
  logger,
});
await db.migrate(new URL('./migrations/', import.meta.url));
const skyrun = await connectSkyrun({
  kind: config.CHAOS_BUS,
  url: config.CHAOS_BUS_URL,
  group: CONSUMER_GROUP,
  logger,
});

/** @param who the person who joined; empty for the creation of the project itself */
async function take(event: AnyEvent, project: string, who: string): Promise<void> {
  await db.transaction((tx) =>
    applyOnce(tx, CONSUMER_GROUP, event, async () => {
      await tx.query('insert into effects (project, who, sequence) values ($1, $2, $3)', [
        project,
        who,
        event.sequence,
      ]);
    }),
  );
}

skyrun
  .on('skyrun.project.created.v1', (event) => take(event, event.data.name, ''))
  .on('skyrun.member.added.v1', (event) => take(event, event.data.project, event.data.userId));

const stop = async () => {
  await skyrun.stop();
  await db.close();
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());

await skyrun.start();
logger.info('taking effect');
