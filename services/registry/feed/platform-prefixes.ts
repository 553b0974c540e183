import { KUBERNETES_API, LIVE_FEED, type Operation } from '@skyrun/contracts';

export interface PlatformPrefix {
  readonly path: string;
  readonly service: string;
}

interface Node {
  readonly children: Map<string, Node>;
  /** Of what ends here or below. */
  readonly owners: Set<string>;
  /** Of what ends here. */
  own: string | null;
}

/** The shortest paths that tell which part of the platform answers what is below them, but for longer ones. `{}` is any segment. */
export function platformPrefixes(
  operations: readonly Pick<Operation, 'path' | 'service' | 'permission'>[],
): PlatformPrefix[] {
  const root = node();
  for (const { path, service, permission } of operations) {
    if (permission === 'internal') continue;
    let at = root;
    for (const segment of path.split('/').slice(1)) {
      at.owners.add(service);
      const name = segment.startsWith('{') ? '{}' : segment;
      const next = at.children.get(name) ?? node();
      at.children.set(name, next);
      at = next;
    }
    at.owners.add(service);
    at.own = service;
  }
  const found: PlatformPrefix[] = [
    { path: LIVE_FEED.path, service: 'events' },
    { path: KUBERNETES_API.path, service: KUBERNETES_API.service },
  ];
  collect(root, '', found);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function node(): Node {
  return { children: new Map(), owners: new Set(), own: null };
}

function collect(at: Node, path: string, found: PlatformPrefix[]): void {
  const [service] = at.owners;
  if (path !== '' && service !== undefined && at.owners.size === 1) {
    found.push({ path, service });
    return;
  }
  if (at.own !== null) found.push({ path, service: at.own });
  for (const [segment, next] of at.children) collect(next, `${path}/${segment}`, found);
}
