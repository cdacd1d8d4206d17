/**
 * Nodes of the radix tree that Redis would have over a stream's blocks, for XINFO STREAM. There,
 * nodes are: one where ways part, one for each run of bytes between two of these (or before the
 * first), and one at the end of each key.
 */
import { type Ref, StreamId, type Streams } from '../keyspace/index.ts';

/** Bytes of a key: an id, most significant byte first. */
const KEY_BYTES = 16;

/** Number of nodes, counted block by block. */
export function radixNodeCount(streams: Streams, stream: Ref): number {
  /** Depths at which ways part, on the way to the last key. */
  const parts: number[] = [];
  let nodes = 0;
  let isFirst = true;
  const before = new StreamId();
  const id = new StreamId();
  /** Ends the way to the last key below `depth`; returns where it goes on. */
  const close = (depth: number): number => {
    let below = KEY_BYTES;
    nodes++;
    for (let at; (at = parts.at(-1)) !== undefined && at > depth;) {
      if (below - at > 1) nodes++;
      nodes++;
      below = at;
      parts.pop();
    }
    return below;
  };
  streams.forEachBlock(stream, (block) => {
    streams.blocks.readFirstId(block, id);
    if (!isFirst) {
      const depth = commonBytes(before, id);
      const below = close(depth);
      if (below - depth > 1) nodes++;
      if (parts.at(-1) !== depth) parts.push(depth);
    }
    isFirst = false;
    before.set(id);
  });
  if (isFirst) return 1;
  return close(-1) > 0 ? nodes + 1 : nodes;
}

function commonBytes(a: StreamId, b: StreamId): number {
  if (a.msHigh !== b.msHigh) return Math.clz32(a.msHigh ^ b.msHigh) >>> 3;
  if (a.msLow !== b.msLow) return 4 + (Math.clz32(a.msLow ^ b.msLow) >>> 3);
  if (a.seqHigh !== b.seqHigh) return 8 + (Math.clz32(a.seqHigh ^ b.seqHigh) >>> 3);
  return 12 + (Math.clz32(a.seqLow ^ b.seqLow) >>> 3);
}
