/** One replica of billing as a process of its own, to be killed: `node consumer.ts DATABASE_URL BROKER_URL`. */
import { createBus } from '@skyrun/bus';
import { silentLogger, systemClock } from '@skyrun/kit';
import { createBillingService } from '../../app.ts';

const [databaseUrl = '', brokerUrl = ''] = process.argv.slice(2);
const clock = systemClock;
const bus = await createBus({ kind: 'rabbitmq', url: brokerUrl, namespace: 'skyrun', clock, logger: silentLogger });
const billing = createBillingService({
  config: {
    SKYRUN_BILLING_PRICE_LIST: 'cloud-run-tier-1',
    SKYRUN_BILLING_FREE_TIER: false,
    SKYRUN_BILLING_GRACE_MINUTES: 60,
    SKYRUN_SMTP_URL: undefined,
    SKYRUN_MAIL_FROM: 'Skyrun <billing@localhost>',
    SKYRUN_REDIS_URL: undefined,
  },
  databaseUrl,
  bus,
  clock,
  logger: silentLogger,
});
await billing.start();
process.stdout.write('ready\n');
