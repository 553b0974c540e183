import type { Service } from '@skyrun/contracts';
import { replaceEqualDeep } from '@tanstack/react-query';

/**
 * What an edit of one part of a service is built upon: what the person began with, or a newer generation in which that part
 * is still the same. A newer one with another value must not slip under their hands.
 */
export function baseOfEdit(began: Service, current: Service, part: 'template' | 'policy'): Service {
  const mine = began.spec[part];
  return replaceEqualDeep(mine, current.spec[part]) === mine ? current : began;
}
