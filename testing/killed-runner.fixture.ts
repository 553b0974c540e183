// Started by servers.itest.ts, which kills it: what it started must end with it.
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from './postgres.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';

const servers = await Promise.all([startPostgres(), startRedis(), startRabbitmq()]);
process.stdout.write(`${servers.map((server) => server.pid()).join(' ')}\n`);
await sleep(60_000);
