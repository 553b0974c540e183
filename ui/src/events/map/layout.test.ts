import type { MapEdge, MapNode } from '@skyrun/contracts';
import { describe, expect, it } from 'vitest';
import { layOut, layOutNarrow, NODE, neighbours } from './layout.ts';

const node = (kind: MapNode['kind'], name: string): MapNode => ({
  id: `${kind}:${name}`,
  kind,
  name,
  health: 'healthy',
  copies: 1,
  types: [],
});
const edge = (from: string, to: string, perSecond = 1): MapEdge => ({
  from,
  to,
  kind: 'event',
  perSecond,
  errorRatio: 0,
  latencyMs: 1,
  types: [],
});
const nodes = [
  node('group', 'mailer'),
  node('service', 'b'),
  node('edge', 'internet'),
  node('service', 'a'),
  node('webhook', 'x'),
];
const edges = [
  edge('edge:internet', 'service:a', 100),
  edge('service:a', 'group:mailer', 0),
  edge('service:a', 'service:b'),
];

describe('layOut', () => {
  const drawn = layOut({ nodes, edges });

  it('puts callers left, producers in the middle, consumers right, and none over another', () => {
    const at = (id: string) => drawn.nodes.find((one) => one.id === id);
    expect(at('edge:internet')?.x).toBeLessThan(at('service:a')?.x ?? 0);
    expect(at('service:a')?.x).toBeLessThan(at('group:mailer')?.x ?? 0);
    for (const one of drawn.nodes) {
      expect(one.x + NODE.width).toBeLessThanOrEqual(drawn.width);
      expect(one.y + NODE.height).toBeLessThanOrEqual(drawn.height);
      const over = drawn.nodes.filter(({ x, y }) => x === one.x && Math.abs(y - one.y) < NODE.height);
      expect(over).toEqual([one]);
    }
  });

  it('is the same whatever the order, and thicker with more traffic', () => {
    expect(layOut({ nodes: nodes.toReversed(), edges }).nodes).toEqual(drawn.nodes);
    const [many, few] = drawn.lines;
    expect(many?.width).toBeGreaterThan(few?.width ?? 0);
  });

  it('leaves out a line to nowhere, and draws an empty map', () => {
    expect(layOut({ nodes: [], edges }).lines).toEqual([]);
  });
});

describe('layOutNarrow', () => {
  it.each([356, 180, 700])('has all of it within %i pixels, callers above producers above consumers', (width) => {
    const drawn = layOutNarrow({ nodes, edges }, width);
    const at = (id: string) => drawn.nodes.find((one) => one.id === id);
    expect(at('edge:internet')?.y).toBeLessThan(at('service:a')?.y ?? 0);
    expect(at('service:b')?.y).toBeLessThan(at('group:mailer')?.y ?? 0);
    expect(drawn.lines).toHaveLength(edges.length);
    for (const one of drawn.nodes) {
      expect(one.x).toBeGreaterThanOrEqual(0);
      expect(one.x + NODE.narrow).toBeLessThanOrEqual(width);
      expect(one.y + NODE.height).toBeLessThanOrEqual(drawn.height);
      const over = drawn.nodes.filter(
        ({ x, y }) => Math.abs(x - one.x) < NODE.narrow && Math.abs(y - one.y) < NODE.height,
      );
      expect(over).toEqual([one]);
    }
  });
});

it('finds who is next to a node', () => {
  expect([...(neighbours(edges, 'service:a') ?? [])].toSorted()).toEqual([
    'edge:internet',
    'group:mailer',
    'service:a',
    'service:b',
  ]);
  expect(neighbours(edges, null)).toBeNull();
});
