import { apiKeyOperations } from './api-keys.ts';
import { billingOperations } from './billing.ts';
import { billingAdminOperations } from './billing-admin.ts';
import { billingInsightOperations } from './billing-insight.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { domainOperations } from './domains.ts';
import { eventOperations } from './events.ts';
import { gatewayRouteOperations } from './gateway-routes.ts';
import { identityOperations } from './identity.ts';
import type { Operation } from './operation.ts';
import { orchestratorOperations } from './orchestrator.ts';
import { registrationOperations } from './registrations.ts';
import { registryOperations } from './registry.ts';
import { secretOperations } from './secrets.ts';
import { subscriptionOperations } from './subscriptions.ts';
import { teamEventOperations } from './team-events.ts';

/** Every HTTP operation of the platform. */
export const OPERATIONS = {
  ...identityOperations,
  ...apiKeyOperations,
  ...registryOperations,
  ...secretOperations,
  ...domainOperations,
  ...gatewayRouteOperations,
  ...orchestratorOperations,
  ...billingOperations,
  ...billingAdminOperations,
  ...billingInsightOperations,
  ...eventOperations,
  ...deadLetterOperations,
  ...subscriptionOperations,
  ...registrationOperations,
  ...teamEventOperations,
};

export const ALL_OPERATIONS: readonly Operation[] = Object.values(OPERATIONS);
