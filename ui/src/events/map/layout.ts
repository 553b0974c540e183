import type { MapEdge, MapNode, ServiceMap } from '@skyrun/contracts';

/** Pixels. */
export const NODE = { width: 200, height: 58, narrow: 150 } as const;
const GAP_X = 130;
const GAP_Y = 22;
const PAD = 16;
/** Between the bands of a narrow screen, which its lines cross. */
const GAP_BANDS = 72;
/** Of neighbours in a band. */
const GAP_BAND_X = 12;

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

/** Callers, producers and consumers, where there are any, each in an order of their own. */
function columnsOf(nodes: readonly MapNode[]): readonly (readonly MapNode[])[] {
  const sorted = [...nodes].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  return [0, 1, 2]
    .map((column) => sorted.filter(({ kind }) => COLUMN[kind] === column))
    .filter(({ length }) => length > 0);
}

/** The same map is always drawn the same, so that what moves is what has changed. */
export function layOut({ nodes, edges }: Pick<ServiceMap, 'nodes' | 'edges'>): Layout {
  const rows = columnsOf(nodes);
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
  const width = PAD * 2 + rows.length * NODE.width + (rows.length - 1) * GAP_X;
  return { nodes: placed, lines: linesOf(edges, placed, curve), width, height };
}

/** The columns of `layOut` as bands, one below the other, of rows that are no wider than `width`. */
export function layOutNarrow({ nodes, edges }: Pick<ServiceMap, 'nodes' | 'edges'>, width: number): Layout {
  const perRow = Math.max(1, Math.floor((width - 2 * PAD + GAP_BAND_X) / (NODE.narrow + GAP_BAND_X)));
  const placed: Placed[] = [];
  let y = PAD;
  for (const band of columnsOf(nodes)) {
    for (let first = 0; first < band.length; first += perRow) {
      const row = band.slice(first, first + perRow);
      const own = row.length * NODE.narrow + (row.length - 1) * GAP_BAND_X;
      row.forEach((node, place) => {
        placed.push({ ...node, x: (width - own) / 2 + place * (NODE.narrow + GAP_BAND_X), y });
      });
      y += NODE.height + GAP_Y;
    }
    y += GAP_BANDS - GAP_Y;
  }
  return { nodes: placed, lines: linesOf(edges, placed, fall), width, height: y - GAP_BANDS + PAD };
}

function linesOf(
  edges: readonly MapEdge[],
  placed: readonly Placed[],
  pathOf: (from: Placed, to: Placed) => string,
): Line[] {
  const byId = new Map(placed.map((node) => [node.id, node]));
  return edges.flatMap((edge): Line[] => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)];
    if (!from || !to) return [];
    const key = `${edge.kind} ${edge.from} ${edge.to}`;
    return [{ ...edge, key, path: pathOf(from, to), width: widthOf(edge.perSecond) }];
  });
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

/** From below the one to above the other; in one band from side to side. */
function fall(from: Placed, to: Placed): string {
  const middle = (node: Placed) => node.x + NODE.narrow / 2;
  if (to.y > from.y) {
    const [y1, bend] = [from.y + NODE.height, (to.y - from.y - NODE.height) / 2];
    return `M${middle(from)} ${y1} C${middle(from)} ${y1 + bend} ${middle(to)} ${to.y - bend} ${middle(to)} ${to.y}`;
  }
  const [y1, y2] = [from.y + NODE.height, to.y + NODE.height];
  const out = GAP_Y / 2;
  return `M${middle(from)} ${y1} C${middle(from)} ${y1 + out} ${middle(to)} ${y2 + out} ${middle(to)} ${y2}`;
}

function widthOf(perSecond: number): number {
  return Math.min(6, Math.max(1.5, 2 + Math.log10(perSecond + 0.01)));
}

/** Those next to a node, itself included; everyone for none. */
export function neighbours(edges: readonly MapEdge[], id: string | null): ReadonlySet<string> | null {
  if (id === null) return null;
  return new Set([id, ...edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))]);
}
