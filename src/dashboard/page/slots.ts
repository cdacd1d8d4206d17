/** The slot map's arithmetic. Pure. */
import type { NodeSnapshot } from '../../tools/watch/index.ts';

export const SLOT_COLUMNS = 256;
export const SLOT_LINES = 64;

/** The owner of each slot; holes where there is none. */
export function ownersOf(nodes: readonly NodeSnapshot[]): readonly (NodeSnapshot | undefined)[] {
  const owners: (NodeSnapshot | undefined)[] = Array.from({ length: SLOT_COLUMNS * SLOT_LINES });
  for (const node of nodes) {
    if (node.role === 'replica') continue;
    for (const [first, last] of node.slots) owners.fill(node, first, last + 1);
  }
  return owners;
}
