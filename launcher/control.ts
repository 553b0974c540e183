import { billingConfig, createBillingService } from '@skyrun/billing';
import { createEventsService, eventsConfig } from '@skyrun/events';
import { createIdentityService, identityConfig } from '@skyrun/identity';
import { loadConfig, type ServiceModule } from '@skyrun/kit';
import { createOrchestratorService, orchestratorConfig } from '@skyrun/orchestrator';
import type { Platform } from '@skyrun/process';
import { createRegistryService, registryConfig } from '@skyrun/registry';

/**
 * The one-machine shape: every service in one process. They still meet on HTTP and events only, through the same
 * clients as when they are apart; this is the one place that names them all.
 */
export function composeControl(platform: Platform): ServiceModule[] {
  return [
    createIdentityService({ ...platform, config: loadConfig(identityConfig) }),
    createEventsService({ ...platform, config: loadConfig(eventsConfig) }),
    createBillingService({ ...platform, config: loadConfig(billingConfig) }),
    createRegistryService({
      ...platform,
      config: loadConfig(registryConfig),
      orchestrator: platform.client('orchestrator'),
    }),
    createOrchestratorService({
      ...platform,
      config: loadConfig(orchestratorConfig),
      registry: platform.client('registry'),
    }),
  ];
}
