import { ALL_OPERATIONS } from '@skyrun/contracts';
import type { ApiPlace } from '../routing/platform-paths.ts';

/**
 * Every path of the API that is reached from outside. A gateway only passes these requests on, so of all their schemas it needs
 * no more than this: the bundle holds the list, and not what it is made from (`bundle/bundle.ts`).
 */
export const API_PLACES: readonly ApiPlace[] = ALL_OPERATIONS.filter(({ permission }) => permission !== 'internal').map(
  ({ service, path }) => ({ service, path }),
);
