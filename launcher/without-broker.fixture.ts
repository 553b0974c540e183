/** The control plane without the runtime, as the launcher starts it: for `without-broker.itest.ts`. */
import { billingConfig, createBillingService } from '@skyrun/billing';
import { createEventsService, eventsConfig } from '@skyrun/events';
import { createIdentityService, identityConfig } from '@skyrun/identity';
import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';

await runProcess({
  name: 'control',
  create: (platform) => [
    createIdentityService({ ...platform, config: loadConfig(identityConfig) }),
    createEventsService({ ...platform, config: loadConfig(eventsConfig) }),
    createBillingService({ ...platform, config: loadConfig(billingConfig) }),
  ],
});
