/** Where the boxes of the topology stand: a box a shard, in as many columns as there is room for. Pure. */
import type { NodeSnapshot } from '../../tools/watch/index.ts';

export interface Row {
  readonly node: NodeSnapshot;
  /** Upper edge within the picture. */
  readonly y: number;
  readonly height: number;
}

export interface Box {
  /** Id of its master, or of the lone replica. */
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly rows: readonly Row[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxWidth: number;
  readonly boxes: readonly Box[];
}

export const BOX_WIDTH_MIN = 216;
const GAP = 12;
const PADDING = 6;
const MASTER_HEIGHT = 46;
const REPLICA_HEIGHT = 32;

/** Boxes of one row of the picture are as high as the highest of them. */
export function layOut(nodes: readonly NodeSnapshot[], width: number): Layout {
  const groups = shardsOf(nodes);
  const fitting = Math.floor((width + GAP) / (BOX_WIDTH_MIN + GAP));
  const columns = Math.max(1, Math.min(fitting, groups.length));
  const boxWidth = (width - GAP * (columns - 1)) / columns;
  const boxes: Box[] = [];
  let top = 0;
  for (let first = 0; first < groups.length; first += columns) {
    const line = groups.slice(first, first + columns);
    const height = Math.max(...line.map((group) => heightOf(group)));
    for (const [column, group] of line.entries()) {
      boxes.push(boxOf(group, { x: column * (boxWidth + GAP), y: top, height }));
    }
    top += height + GAP;
  }
  return { width, height: Math.max(0, top - GAP), boxWidth, boxes };
}

/** Each master with its replicas; replicas whose master is not there stand alone. */
export function shardsOf(nodes: readonly NodeSnapshot[]): NodeSnapshot[][] {
  const byMaster = new Map<string, NodeSnapshot[]>();
  for (const node of nodes) if (node.role === 'master') byMaster.set(node.id, [node]);
  const lone: NodeSnapshot[][] = [];
  for (const node of nodes) {
    if (node.role === 'master') continue;
    const shard = byMaster.get(node.masterId ?? '') ?? ofGroup(node, byMaster);
    if (shard === undefined) lone.push([node]);
    else shard.push(node);
  }
  return [...byMaster.values(), ...lone];
}

/** Where Sentinels have moved the master, replicas of the old one belong to the new one. */
function ofGroup(
  { group }: NodeSnapshot,
  byMaster: ReadonlyMap<string, NodeSnapshot[]>,
): NodeSnapshot[] | undefined {
  if (group === undefined) return undefined;
  return [...byMaster.values()].find(([master]) => master?.group === group);
}

function boxOf(
  group: readonly NodeSnapshot[],
  place: { readonly x: number; readonly y: number; readonly height: number },
): Box {
  const rows: Row[] = [];
  let y = place.y + PADDING;
  for (const node of group) {
    const height = rowHeight(node);
    rows.push({ node, y, height });
    y += height;
  }
  return { id: group[0]?.id ?? '', ...place, rows };
}

function heightOf(group: readonly NodeSnapshot[]): number {
  return 2 * PADDING + group.reduce((sum, node) => sum + rowHeight(node), 0);
}

function rowHeight({ role }: NodeSnapshot): number {
  return role === 'master' ? MASTER_HEIGHT : REPLICA_HEIGHT;
}
