import { OPERATIONS, type Project } from '@skyrun/contracts';
import { type Client, createClient } from '@skyrun/kit';
import type { JsonObject } from './json.ts';
import { uuidOf, wholeSeconds } from './render.ts';

/** Projects as identity shows them to the caller; each call carries the caller's own token. */
export interface Projects {
  list(token: string): Promise<Project[]>;
  get(token: string, name: string): Promise<Project>;
  create(token: string, name: string): Promise<Project>;
}

const PAGE = 200;

export function createProjects(identityUrl: string): Projects {
  const as = (token: string): Client => createClient({ baseUrl: identityUrl, token: () => token });
  return {
    async list(token) {
      const all: Project[] = [];
      let cursor: string | undefined;
      do {
        const page = await as(token).call(OPERATIONS.listProjects, {
          query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
        });
        all.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return all;
    },
    get: (token, name) => as(token).call(OPERATIONS.getProject, { params: { project: name } }),
    create: (token, name) => as(token).call(OPERATIONS.createProject, { body: { name } }),
  };
}

/** A project is a namespace; it never changes, so its version is always the first. */
export function namespaceOf(project: Project): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: project.name,
      uid: uuidOf(project.id),
      resourceVersion: '1',
      creationTimestamp: wholeSeconds(project.createdAt),
      labels: { 'kubernetes.io/metadata.name': project.name },
      annotations: { 'skyrun.dev/display-name': project.displayName },
    },
    spec: {},
    status: { phase: 'Active' },
  };
}
