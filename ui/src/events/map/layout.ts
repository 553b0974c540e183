import type { MapEdge, MapNode, ServiceMap } from '@skyrun/contracts';

/** Pixels. */
export const NODE = { width: 200, height: 58 } as const;
const GAP_X = 130;
const GAP_Y = 22;
const PAD = 16;

export interface Placed extends MapNode {
  readonly x: number;
  readonly y: number;
}

export interface Line extends MapEdge {
  readonly key: string;
  /** SVG path data. */
  readonly path: string;
  /** 1 to 6: thicker with more traffic, on a logarithmic scale. */
  readonly width: number;
}

export interface Layout {
  readonly nodes: readonly Placed[];
  readonly lines: readonly Line[];
  readonly width: number;
  readonly height: number;
}

/** Callers to the left, those who produce in the middle, those who only consume to the right. */
const COLUMN: Readonly<Record<MapNode['kind'], number>> = {
  edge: 0,
  team: 1,
  service: 1,
  platform: 1,
  group: 2,
  webhook: 2,
};
const ORDER: readonly MapNode['kind'][] = ['edge', 'service', 'team', 'platform', 'group', 'webhook'];

/** The same map is always drawn the same, so that what moves is what has changed. */
export function layOut({ nodes, edges }: Pick<ServiceMap, 'nodes' | 'edges'>): Layout {
  const sorted = [...nodes].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const used = [0, 1, 2].filter((column) => sorted.some(({ kind }) => COLUMN[kind] === column));
  const rows = used.map((column) => sorted.filter(({ kind }) => COLUMN[kind] === column));
  const tallest = Math.max(1, ...rows.map(({ length }) => length));
  const height = PAD * 2 + tallest * NODE.height + (tallest - 1) * GAP_Y;
  const placed = rows.flatMap((column, index) => {
    const own = column.length * NODE.height + (column.length - 1) * GAP_Y;
    return column.map((node, row) => ({
      ...node,
      x: PAD + index * (NODE.width + GAP_X),
      y: (height - own) / 2 + row * (NODE.height + GAP_Y),
    }));
  });
  const byId = new Map(placed.map((node) => [node.id, node]));
  const lines = edges.flatMap((edge): Line[] => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)];
    if (!from || !to) return [];
    return [
      { ...edge, key: `${edge.kind} ${edge.from} ${edge.to}`, path: curve(from, to), width: widthOf(edge.perSecond) },
    ];
  });
  return { nodes: placed, lines, width: PAD * 2 + used.length * NODE.width + (used.length - 1) * GAP_X, height };
}

function curve(from: Placed, to: Placed): string {
  const [x1, y1, y2] = [from.x + NODE.width, from.y + NODE.height / 2, to.y + NODE.height / 2];
  if (to.x > from.x) {
    const bend = (to.x - x1) / 2;
    return `M${x1} ${y1} C${x1 + bend} ${y1} ${to.x - bend} ${y2} ${to.x} ${y2}`;
  }
  // In one column: around the right side.
  const out = GAP_X / 2;
  const x2 = to.x + NODE.width;
  return `M${x1} ${y1} C${x1 + out} ${y1} ${x2 + out} ${y2} ${x2} ${y2}`;
}

function widthOf(perSecond: number): number {
  return Math.min(6, Math.max(1.5, 2 + Math.log10(perSecond + 0.01)));
}

/** Those next to a node, itself included; everyone for none. */
export function neighbours(edges: readonly MapEdge[], id: string | null): ReadonlySet<string> | null {
  if (id === null) return null;
  return new Set([id, ...edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))]);
}
