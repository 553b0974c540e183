import { billingOperations } from './billing.ts';
import { eventOperations } from './events.ts';
import { identityOperations } from './identity.ts';
import type { Operation } from './operation.ts';
import { orchestratorOperations } from './orchestrator.ts';
import { registryOperations } from './registry.ts';

/** Every HTTP operation of the platform. */
export const OPERATIONS = {
  ...identityOperations,
  ...registryOperations,
  ...orchestratorOperations,
  ...billingOperations,
  ...eventOperations,
};

export const ALL_OPERATIONS: readonly Operation[] = Object.values(OPERATIONS);
