import { isDeepStrictEqual } from 'node:util';
import type { FieldError, RevisionTemplate, TrafficTarget } from '@skyrun/contracts';

/** What makes one revision differ from another: the template with its image pinned. */
export interface PinnedTemplate {
  readonly template: RevisionTemplate;
  readonly imageDigest: string;
  readonly imageReference: string;
}

/** Whether two templates would run the same; what the image is called does not matter, its digest does. */
export function sameTemplate(one: PinnedTemplate, other: PinnedTemplate): boolean {
  return (
    one.imageDigest === other.imageDigest &&
    one.imageReference === other.imageReference &&
    isDeepStrictEqual(withoutImage(one.template), withoutImage(other.template))
  );
}

/** Through JSON, as a template that was stored has gone through it. */
function withoutImage(template: RevisionTemplate): unknown {
  return JSON.parse(JSON.stringify({ ...template, image: '' }));
}

/** What is asked of traffic that we cannot do yet: all of it goes to the latest ready revision. */
export function unsupportedTraffic(traffic: readonly TrafficTarget[]): FieldError[] {
  const errors: FieldError[] = [];
  traffic.forEach((target, index) => {
    const at = `/spec/traffic/${index}`;
    if (target.revisionName !== undefined || target.latestRevision === false) {
      errors.push({
        field: `${at}/revisionName`,
        message: 'only the latest ready revision can have traffic for now; leave revisionName out',
      });
    }
    if (target.tag !== undefined) {
      errors.push({ field: `${at}/tag`, message: 'tags are not supported for now; leave tag out' });
    }
    if (target.percent !== 100) {
      errors.push({ field: `${at}/percent`, message: 'splitting traffic is not supported for now; expected 100' });
    }
  });
  return errors;
}

export function revisionName(service: string, number: number): string {
  return `${service}-${String(number).padStart(5, '0')}`;
}
