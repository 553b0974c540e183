import { type DesiredState, OPERATIONS, Problem, type RevisionTemplate, revisionTemplate } from '@skyrun/contracts';
import { type Client, createClient, isoTime, newId, systemClock } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';

export const TEST_IMAGE = 'skyrun.local/orchestrator-test/app:1';
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** A template with the defaults of the contract. */
export function templateOf(fields: Record<string, unknown> = {}): RevisionTemplate {
  return revisionTemplate.parse({ image: 'app', ...fields });
}

export interface DesiredFields {
  readonly want?: DesiredRevision['want'];
  readonly template?: Record<string, unknown>;
  readonly image?: string;
  readonly project?: string;
  readonly service?: string;
  readonly number?: number;
}

export function desiredOf(fields: DesiredFields = {}): DesiredRevision {
  const { want = 'serving', template, image = TEST_IMAGE, project = 'demo', service = 'web', number = 1 } = fields;
  return {
    want,
    revision: {
      id: newId('revision', systemClock),
      name: `${service}-${String(number).padStart(5, '0')}`,
      project,
      serviceId: newId('service', systemClock),
      service,
      number,
      imageDigest: DIGEST,
      imageReference: image,
      template: templateOf(template),
      conditions: [],
      createdAt: isoTime(systemClock.now()),
    },
  };
}

export interface FakeRegistry {
  readonly client: Client;
  set(...revisions: readonly DesiredRevision[]): void;
  setDown(down: boolean): void;
}

/** The one secret that the registry in memory has. */
export const TEST_SECRET = { name: 'hush', value: 'correct horse battery staple' };

function secretValues(body: string): Response {
  const { references } = OPERATIONS.resolveSecrets.body.parse(JSON.parse(body));
  const missing = references.find(({ name }) => name !== TEST_SECRET.name);
  if (missing === undefined) return Response.json({ values: references.map(() => TEST_SECRET.value) });
  const detail = `project demo has no secret ${missing.name}`;
  const problem = new Problem('resource.not_found', { detail });
  return Response.json(problem.toDetails(), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
  });
}

/** A registry that answers what orchestrators ask, as the real one does: with an ETag, and 304 where it is known. */
export function createFakeRegistry(): FakeRegistry {
  let version = 0;
  let revisions: readonly DesiredRevision[] = [];
  let down = false;
  return {
    client: createClient({
      baseUrl: 'http://registry.test',
      async fetch(input, init) {
        if (down) throw new TypeError('fetch failed');
        const { pathname } = new URL(String(input));
        if (pathname === OPERATIONS.resolveSecrets.path) return secretValues(String(init?.body));
        if (pathname !== OPERATIONS.getDesired.path) return new Response(null, { status: 404 });
        const etag = `"${version}"`;
        if (new Headers(init?.headers).get('if-none-match') === etag) return new Response(null, { status: 304 });
        const state: DesiredState = { version: String(version), revisions: [...revisions] };
        return Response.json(state, { headers: { etag } });
      },
    }),
    set(...next) {
      version += 1;
      revisions = next;
    },
    setDown(next) {
      down = next;
    },
  };
}
