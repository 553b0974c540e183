import { type Domain, domainName, KNATIVE_GROUP, KNATIVE_VERSION } from '@skyrun/contracts';
import { z } from 'zod';
import { isObject, objectAt, textAt } from './json.ts';
import { derivedUuid, type Rendered, rendered, wholeSeconds } from './render.ts';
import { badRequest, type Cause, fieldPath, invalid } from './status.ts';

const VERSION = `${KNATIVE_GROUP}/v1beta1`;

/** Where a mapping leads. Certificates are the gateway's own, so there is no `tls`. */
export const mappingSpec = z.strictObject({
  ref: z.strictObject({
    apiVersion: z.literal(KNATIVE_VERSION).default(KNATIVE_VERSION),
    kind: z.literal('Service').default('Service'),
    name: z.string().describe('a service of the same namespace'),
    namespace: z.string().optional().describe('the same namespace, where it is named'),
  }),
});

export interface Mapping {
  readonly name: string;
  readonly service: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly warnings: readonly string[];
}

/** A DomainMapping as somebody sent it. @throws StatusError 400, 422 */
export function readMapping(body: unknown, { project, name }: { project: string; name: string | null }): Mapping {
  if (!isObject(body)) throw badRequest('the body is not an object');
  if (body['apiVersion'] !== VERSION || body['kind'] !== 'DomainMapping') {
    throw badRequest(`expected apiVersion ${VERSION} and kind DomainMapping`);
  }
  const metadata = objectAt(body, 'metadata');
  const namespace = textAt(metadata, 'namespace') || project;
  if (namespace !== project) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${namespace}, ${project})`,
    );
  }
  const given = textAt(metadata, 'name') ?? '';
  if (name !== null && given !== '' && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  const host = domainName.safeParse(name ?? given);
  const spec = mappingSpec.safeParse(body['spec'] ?? {});
  const about = { resource: 'domainmappings', name: name ?? given };
  const causes: Cause[] = [
    ...causesOf('/metadata/name', host.error?.issues ?? []),
    ...causesOf('/spec', spec.error?.issues ?? []),
  ];
  const elsewhere = spec.data?.ref.namespace ?? project;
  if (elsewhere !== project) {
    const message = 'a domain leads to a service of its own namespace';
    causes.push({ reason: 'FieldValueInvalid', field: 'spec.ref.namespace', message });
  }
  if (!host.success || !spec.success || causes.length > 0) throw invalid(about, causes);
  const notes = ['labels', 'annotations'].filter((field) => Object.keys(objectAt(metadata, field)).length > 0);
  return {
    name: host.data,
    service: spec.data.ref.name,
    uid: textAt(metadata, 'uid'),
    resourceVersion: textAt(metadata, 'resourceVersion'),
    warnings: notes.map((field) => `metadata.${field}: a domain mapping keeps none`),
  };
}

function causesOf(at: string, issues: readonly z.core.$ZodIssue[]): Cause[] {
  return issues.map(({ path, message }) => ({
    reason: 'FieldValueInvalid',
    field: fieldPath([at, ...path.map(String)].join('/')),
    message,
  }));
}

/** A domain of a project, as Knative shows where a host of one's own leads. */
export function renderDomainMapping(domain: Domain): Rendered {
  const { project, name, service, state, reason, url } = domain;
  const created = wholeSeconds(domain.createdAt);
  const proved = state === 'verified';
  const claim = {
    status: proved ? 'True' : state === 'lost' ? 'False' : 'Unknown',
    // A lost one has changed since, and nobody wrote down when.
    ...(state === 'lost' ? {} : { lastTransitionTime: wholeSeconds(domain.verifiedAt ?? domain.createdAt) }),
    ...(reason === 'proved' ? {} : { reason: camelCase(reason), message: advice(domain) }),
  };
  return rendered('DomainMapping', project, name, {
    metadata: {
      name,
      namespace: project,
      // The proof is new with each claim, so that one who takes a name over is not mistaken for who had it.
      uid: derivedUuid('DomainMapping', `${project}/${name} ${domain.proofs[0]?.value}`),
      creationTimestamp: created,
      generation: 1,
    },
    spec: { ref: { apiVersion: KNATIVE_VERSION, kind: 'Service', name: service } },
    status: {
      observedGeneration: 1,
      conditions: [
        { type: 'DomainClaimed', ...claim },
        { type: 'Ready', ...claim },
        { type: 'ReferenceResolved', status: 'True', lastTransitionTime: created },
      ],
      ...(url === null ? {} : { url, address: { url } }),
    },
  });
}

/** What was found, and the records of which one must be made. */
function advice({ message, proofs }: Domain): string {
  const records = proofs.map(({ type, name, value }) => `${type} ${name} ${value}`);
  return `${message} Make one of these records: ${records.join(', or ')}`;
}

function camelCase(reason: string): string {
  return reason
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
