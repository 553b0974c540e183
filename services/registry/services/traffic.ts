import { Problem, type TrafficTarget } from '@skyrun/contracts';
import { unsupportedTraffic } from './template.ts';

/** @throws Problem `request.invalid` with each field and what was expected */
export function requireSupportedTraffic(traffic: readonly TrafficTarget[]): void {
  const errors = unsupportedTraffic(traffic);
  const [first] = errors;
  if (first) throw new Problem('request.invalid', { detail: `${first.field}: ${first.message}`, errors });
}
