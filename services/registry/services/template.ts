import { isDeepStrictEqual } from 'node:util';
import type { RevisionTemplate } from '@skyrun/contracts';

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

export function revisionName(service: string, number: number): string {
  return `${service}-${String(number).padStart(5, '0')}`;
}
