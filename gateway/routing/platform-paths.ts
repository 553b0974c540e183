import { KUBERNETES_API, LIVE_FEED, type PlatformService } from '@skyrun/contracts';

/** Who answers a path of the platform's own API. */
export interface ApiPlace {
  readonly service: PlatformService;
  /** Segments in braces stand for any. */
  readonly path: string;
}

interface Node {
  readonly fixed: Map<string, Node>;
  parameter: Node | null;
  owner: PlatformService | null;
}

export type PlatformPath =
  | { readonly kind: 'service'; readonly service: PlatformService }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'assets' };

const UNKNOWN: PlatformPath = { kind: 'unknown' };
const ASSETS: PlatformPath = { kind: 'assets' };

/**
 * Which part of the platform answers a path: an API path goes to the owner of the operation that has it, whatever
 * the method (the owner says 405), and `/internal` does not exist here. Built once.
 */
export function createPlatformPaths(places: readonly ApiPlace[]): (path: string) => PlatformPath {
  const root: Node = { fixed: new Map(), parameter: null, owner: null };
  for (const { service, path } of places) {
    let node = root;
    for (const segment of path.split('/').slice(1)) node = child(node, segment);
    if (node.owner !== null && node.owner !== service) {
      throw new Error(`${path} belongs to both ${node.owner} and ${service}`);
    }
    node.owner = service;
  }
  const owners = new Map<PlatformService, PlatformPath>();
  const service = (name: PlatformService): PlatformPath => {
    const known = owners.get(name) ?? { kind: 'service', service: name };
    owners.set(name, known);
    return known;
  };

  return (path) => {
    if (isUnder(path, LIVE_FEED.path)) return service('events');
    if (isUnder(path, KUBERNETES_API.path)) return service(KUBERNETES_API.service);
    if (isUnder(path, '/internal')) return UNKNOWN;
    if (!isUnder(path, '/api') && !isUnder(path, '/apis')) return ASSETS;
    const owner = find(root, path.split('/'), 1);
    return owner === null ? UNKNOWN : service(owner);
  };
}

function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f);
}

function child(node: Node, segment: string): Node {
  const empty = (): Node => ({ fixed: new Map(), parameter: null, owner: null });
  if (segment.startsWith('{')) {
    node.parameter ??= empty();
    return node.parameter;
  }
  const known = node.fixed.get(segment) ?? empty();
  node.fixed.set(segment, known);
  return known;
}

/** A fixed segment beats a parameter; where it leads nowhere the parameter is tried. */
function find(node: Node, segments: readonly string[], index: number): PlatformService | null {
  const segment = segments[index];
  if (segment === undefined) return node.owner;
  const fixed = node.fixed.get(segment);
  if (fixed !== undefined) {
    const owner = find(fixed, segments, index + 1);
    if (owner !== null) return owner;
  }
  return node.parameter !== null && segment !== '' ? find(node.parameter, segments, index + 1) : null;
}
