import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';
import { createBillingService } from './app.ts';
import { billingConfig } from './config.ts';

await runProcess({
  name: 'billing',
  create: (platform) => [createBillingService({ config: loadConfig(billingConfig), ...platform })],
});
