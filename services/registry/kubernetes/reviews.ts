import { KNATIVE_GROUP, type Permission } from '@skyrun/contracts';
import { type Authenticator, type Caller, isoTime } from '@skyrun/kit';
import { type JsonObject, objectAt, textAt } from './json.ts';
import { KINDS } from './kinds.ts';
import type { Review } from './target.ts';

/** `kubectl auth can-i`, `can-i --list` and `whoami`, answered by the same authenticator that guards each request. */
export async function answerReview(
  review: Review,
  body: JsonObject,
  { caller, authenticator, now }: { caller: Caller; authenticator: Authenticator; now: number },
): Promise<JsonObject> {
  const can = async (permission: Permission, project: string) =>
    await allowed(() => authenticator.can(caller, permission, project));
  switch (review) {
    case 'selfsubjectaccessreviews': {
      const answer = await access(objectAt(body, 'spec'), caller, can);
      return reviewed('authorization.k8s.io', 'SelfSubjectAccessReview', {
        spec: objectAt(body, 'spec'),
        status: answer ? { allowed: true } : { allowed: false, reason: 'your role does not have the permission' },
      });
    }
    case 'selfsubjectrulesreviews': {
      const project = textAt(body, 'spec', 'namespace') ?? '';
      return reviewed('authorization.k8s.io', 'SelfSubjectRulesReview', {
        spec: { namespace: project },
        status: { incomplete: false, nonResourceRules: OPEN_PATHS, resourceRules: await rules(project, can) },
      });
    }
    case 'selfsubjectreviews':
      return reviewed('authentication.k8s.io', 'SelfSubjectReview', {
        metadata: { creationTimestamp: isoTime(now).replace(/\.\d+Z$/, 'Z') },
        status: {
          userInfo: {
            username: caller.email,
            uid: caller.userId,
            groups: ['system:authenticated', ...(caller.admin ? ['skyrun:administrators'] : [])],
          },
        },
      });
  }
}

const OPEN_PATHS: JsonObject[] = [
  { verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi/*', '/version', '/healthz'] },
];

type Can = (permission: Permission, project: string) => Promise<boolean>;

/** A project that is not there is nobody's to use. */
async function allowed(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'resource.not_found') return false;
    throw error;
  }
}

async function access(spec: JsonObject, caller: Caller, can: Can): Promise<boolean> {
  const attributes = objectAt(spec, 'resourceAttributes');
  if (Object.keys(attributes).length === 0) {
    const path = textAt(spec, 'nonResourceAttributes', 'path') ?? '';
    return /^\/(api|apis|openapi|version|healthz|livez|readyz)(\/|$)/.test(path);
  }
  const verb = textAt(attributes, 'verb') ?? '';
  const group = textAt(attributes, 'group') ?? '';
  const resource = textAt(attributes, 'resource') ?? '';
  const project = textAt(attributes, 'namespace') ?? '';
  if (group === '' && resource === 'namespaces') return ['get', 'list', 'create'].includes(verb);
  if (group === 'authorization.k8s.io' || group === 'authentication.k8s.io') return verb === 'create';
  if (group !== KNATIVE_GROUP && group !== '*') return false;
  const kind = KINDS.find(({ plural }) => plural === resource);
  if (resource === '*' || verb === '*') return caller.admin;
  if (kind === undefined || !kind.verbs.includes(verb)) return false;
  // A list of all namespaces holds what the caller may see.
  if (project === '') return caller.admin || verb === 'list' || verb === 'watch';
  return await can(permissionOf(verb), project);
}

export function permissionOf(verb: string): 'services.read' | 'services.write' {
  return verb === 'get' || verb === 'list' || verb === 'watch' ? 'services.read' : 'services.write';
}

async function rules(project: string, can: Can): Promise<JsonObject[]> {
  const own: JsonObject[] = [
    { verbs: ['create', 'get', 'list'], apiGroups: [''], resources: ['namespaces'] },
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ];
  if (project === '') return own;
  const may = {
    'services.read': await can('services.read', project),
    'services.write': await can('services.write', project),
  };
  for (const { plural, verbs } of KINDS) {
    const granted = verbs.filter((verb) => may[permissionOf(verb)]);
    if (granted.length > 0) own.push({ verbs: granted, apiGroups: [KNATIVE_GROUP], resources: [plural] });
  }
  return own;
}

function reviewed(group: string, kind: string, fields: JsonObject): JsonObject {
  return { apiVersion: `${group}/v1`, kind, metadata: {}, ...fields };
}
