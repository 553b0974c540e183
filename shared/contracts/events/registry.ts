import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { digest, dnsLabel } from '../names.ts';
import { domainProof } from '../resources/domain.ts';
import { rolloutDecision, trafficStatus } from '../resources/traffic.ts';
import { define } from './define.ts';
import { revisionRef, serviceRef } from './references.ts';

const domainRef = z.object({ project: dnsLabel, domain: z.string(), service: dnsLabel });

/** Images, services, revisions, secrets, domains and traffic. */
export const REGISTRY_EVENTS = {
  'skyrun.image.imported.v1': define(
    'skyrun.image.imported.v1',
    'An uploaded image is ready to run',
    'images/{project}/{name}',
    z.object({
      id: idSchema('image'),
      project: dnsLabel,
      name: z.string(),
      tag: z.string(),
      digest,
      sizeBytes: z.int(),
    }),
  ),
  'skyrun.image.deleted.v1': define(
    'skyrun.image.deleted.v1',
    'An image was deleted',
    'images/{project}/{name}',
    z.object({ id: idSchema('image'), project: dnsLabel, name: z.string(), tag: z.string(), digest }),
  ),
  'skyrun.service.created.v1': define(
    'skyrun.service.created.v1',
    'A service was created',
    'services/{project}/{service}',
    serviceRef.extend({ generation: z.int(), url: z.string() }),
  ),
  'skyrun.service.updated.v1': define(
    'skyrun.service.updated.v1',
    'A service was changed',
    'services/{project}/{service}',
    serviceRef.extend({ generation: z.int(), url: z.string() }),
  ),
  'skyrun.service.deleted.v1': define(
    'skyrun.service.deleted.v1',
    'A service was deleted',
    'services/{project}/{service}',
    serviceRef,
  ),
  'skyrun.revision.created.v1': define(
    'skyrun.revision.created.v1',
    'A new revision should run',
    'services/{project}/{service}',
    revisionRef.extend({ number: z.int(), imageDigest: digest }),
  ),
  'skyrun.revision.ready.v1': define(
    'skyrun.revision.ready.v1',
    'A revision answered its startup probe',
    'revisions/{revisionId}',
    revisionRef,
  ),
  'skyrun.revision.failed.v1': define(
    'skyrun.revision.failed.v1',
    'A revision did not become ready',
    'revisions/{revisionId}',
    revisionRef.extend({ reason: z.string(), message: z.string() }),
  ),
  'skyrun.revision.pruned.v1': define(
    'skyrun.revision.pruned.v1',
    'An old revision that nothing refers to was forgotten',
    'services/{project}/{service}',
    revisionRef.extend({ reason: z.string() }),
  ),
  'skyrun.secret.changed.v1': define(
    'skyrun.secret.changed.v1',
    'A secret was created or got a new version; its value is in no event',
    'secrets/{project}/{secret}',
    z.object({ id: idSchema('secret'), project: dnsLabel, name: dnsLabel, version: z.int() }),
  ),
  'skyrun.secret.deleted.v1': define(
    'skyrun.secret.deleted.v1',
    'A secret was deleted with all its versions',
    'secrets/{project}/{secret}',
    z.object({ id: idSchema('secret'), project: dnsLabel, name: dnsLabel }),
  ),
  'skyrun.domain.added.v1': define(
    'skyrun.domain.added.v1',
    'A project wants a host of its own to lead to a service, and has to prove that it may',
    'domains/{project}/{domain}',
    domainRef,
  ),
  'skyrun.domain.verified.v1': define(
    'skyrun.domain.verified.v1',
    'A domain was proved; it leads to its service',
    'domains/{project}/{domain}',
    domainRef.extend({ proof: domainProof }),
  ),
  'skyrun.domain.lost.v1': define(
    'skyrun.domain.lost.v1',
    'A domain that was proved is not any more, and leads nowhere',
    'domains/{project}/{domain}',
    domainRef.extend({ message: z.string() }),
  ),
  'skyrun.domain.removed.v1': define(
    'skyrun.domain.removed.v1',
    'A domain was taken from its service, or went with it',
    'domains/{project}/{domain}',
    domainRef,
  ),
  'skyrun.traffic.moved.v1': define(
    'skyrun.traffic.moved.v1',
    'Traffic of a service goes to other revisions, or in other shares',
    'services/{project}/{service}',
    serviceRef.extend({
      before: z.array(trafficStatus),
      after: z.array(trafficStatus),
      sentence: z.string(),
    }),
  ),
  'skyrun.rollout.decided.v1': define(
    'skyrun.rollout.decided.v1',
    'A rollout started, moved on, ended, or took itself back',
    'services/{project}/{service}',
    serviceRef.extend({
      rolloutId: idSchema('rollout'),
      fromRevision: z.string(),
      toRevision: z.string(),
      decision: rolloutDecision,
    }),
  ),
} as const;
