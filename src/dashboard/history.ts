/** The last minutes of every node's rates, as columns, so that a page that opens has charts at once. Pure. */
import type { WatchSnapshot } from '../tools/watch/index.ts';

/** Columns of one node, as long as `History.atUnixMs`; null where it could not be asked. */
export interface NodeHistory {
  readonly ops: (number | null)[];
  readonly bytes: (number | null)[];
  readonly latency: (number | null)[];
}

export interface History {
  readonly atUnixMs: number[];
  readonly nodes: Record<string, NodeHistory>;
}

/** Samples kept: five minutes at one a second. */
export const HISTORY_MAX = 300;

/** Adds a snapshot and forgets what is too old. Nodes that have left fade out with their last sample. */
export function addToHistory(history: History, snapshot: WatchSnapshot): void {
  const { atUnixMs, nodes } = history;
  for (const { id } of snapshot.nodes) {
    nodes[id] ??= { ops: blanks(atUnixMs), bytes: blanks(atUnixMs), latency: blanks(atUnixMs) };
  }
  atUnixMs.push(snapshot.atUnixMs);
  const statsById = new Map(snapshot.nodes.map(({ id, stats }) => [id, stats]));
  for (const [id, columns] of Object.entries(nodes)) {
    const stats = statsById.get(id);
    columns.ops.push(rounded(stats?.opsPerSecond));
    columns.bytes.push(rounded(stats?.usedBytes));
    columns.latency.push(stats?.latencyMs ?? null);
  }
  if (atUnixMs.length <= HISTORY_MAX) return;
  atUnixMs.shift();
  for (const [id, columns] of Object.entries(nodes)) {
    for (const column of [columns.ops, columns.bytes, columns.latency]) column.shift();
    if (columns.bytes.every((value) => value === null) && !statsById.has(id)) delete nodes[id];
  }
}

export function emptyHistory(): History {
  return { atUnixMs: [], nodes: {} };
}

function blanks(like: readonly number[]): null[] {
  return like.map(() => null);
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}
