import { type FieldError, MAX_TAG_HOST, Problem, type TrafficTarget } from '@skyrun/contracts';
import { imageExists } from '../store/images.ts';
import { revisionsNamed } from '../store/services.ts';
import type { Store } from '../store/tables.ts';

/**
 * What only the registry can check: that named revisions are the service's own and can still run, and that tags fit a host.
 * @param at where the targets stand in the request, e.g. `/spec/traffic`
 * @throws Problem `request.invalid` with each field and what was expected
 */
export async function checkTraffic(
  store: Store,
  service: { readonly id: string | null; readonly project: string; readonly name: string },
  traffic: readonly TrafficTarget[],
  at: string,
): Promise<void> {
  const names = traffic.flatMap(({ revisionName }) => revisionName ?? []);
  const revisions = service.id === null ? new Map() : await revisionsNamed(store, service.id, names);
  const errors: FieldError[] = [];
  for (const [index, { revisionName, tag }] of traffic.entries()) {
    if (tag !== undefined && tag.length + 3 + service.name.length > MAX_TAG_HOST) {
      const most = MAX_TAG_HOST - 3 - service.name.length;
      errors.push({ field: `${at}/${index}/tag`, message: `must have at most ${most} characters for this service` });
    }
    if (revisionName === undefined) continue;
    const field = `${at}/${index}/revisionName`;
    const revision = revisions.get(revisionName);
    if (revision === undefined) {
      errors.push({
        field,
        message: `${service.name} has no revision ${revisionName}; list them to see which there are`,
      });
    } else if (!(await imageExists(store, revision.image_reference))) {
      errors.push({ field, message: `the image of ${revisionName} was deleted; upload it again, or choose another` });
    }
  }
  const [first] = errors;
  if (first) throw new Problem('request.invalid', { detail: `${first.field}: ${first.message}`, errors });
}
