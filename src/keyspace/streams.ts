/** Streams as values of keys: made, copied, weighed, trimmed and taken apart. */
import { type Arena, NONE, type Ref } from './arena.ts';
import { TYPE_STREAM } from './entry.ts';
import type { KeyHash } from './hash.ts';
import type { LargeValueStore, LargeValues, Rubbish, Rubble, Words } from './large-values.ts';
import { RankCursor } from './rank-cursor.ts';
import { STREAM_HEAD_BYTES, StreamCore } from './stream-core.ts';
import { StreamId } from './stream-id.ts';

/** Bytes that the tree's nodes take for a block, about. */
const NODE_BYTES_A_BLOCK = 5;

/** The streams of one store. */
export class Streams extends StreamCore implements LargeValues {
  readonly #rubbish: Rubbish;
  readonly #places: RankCursor;
  readonly #id = new StreamId();

  constructor(arena: Arena, hash: KeyHash, rubbish: Rubbish) {
    super(arena, hash);
    this.#rubbish = rubbish;
    this.#places = new RankCursor(arena);
  }

  /** Visits the blocks in order of id. */
  forEachBlock(stream: Ref, visit: (block: Ref) => void): void {
    const places = this.#places;
    places.seek(this.blocksRoot(stream), 0);
    for (; places.ref !== NONE; places.next()) visit(places.ref);
  }

  /** Deletes a group with all it has, what is large of it in slices. */
  destroyGroup(stream: Ref, group: Ref): void {
    this.groups.release(stream, group);
    // It goes the way of a deleted stream that has nothing but this group.
    const rest = this.create();
    this.groups.adopt(rest, group);
    this.#rubbish.add(TYPE_STREAM, { first: rest, second: 0 }, this);
  }

  dismantle(rubble: Rubble, max: number): boolean {
    const stream = rubble.first;
    let left = max;
    const free = (block: Ref): void => {
      this.arena.free(block);
      left--;
    };
    for (let root; (root = this.blocksRoot(stream)) !== NONE;) {
      if (left <= 0) return true;
      this.setBlocksRoot(stream, this.ids.dismantle(root, 1, free));
    }
    if (left <= 0 || this.groups.dismantle(stream, left)) return true;
    this.arena.free(stream);
    return false;
  }

  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void {
    // What a store has of a type is of the type's class.
    const streams = target.large(TYPE_STREAM) as Streams;
    const stream = from.first;
    const copy = streams.create();
    this.forEachBlock(stream, (block) => {
      streams.addBlock(copy, this.blocks.copyTo(block, streams.arena));
    });
    streams.copyFacts(copy, this, stream);
    const count = this.groups.count(stream);
    for (let i = 0; i < count; i++) this.#copyGroup(this.groups.at(stream, i), streams, copy);
    to.first = copy;
    to.second = 0;
  }

  memoryUsage(words: Readonly<Words>, samples: number): number {
    const stream = words.first;
    const count = this.blockCount(stream);
    const step = samples === 0 ? 1 : Math.max(1, Math.floor(count / samples));
    let bytes = 0;
    let looked = 0;
    for (let rank = 0; rank < count; rank += step, looked++) {
      bytes += this.arena.capacity(this.ids.at(this.blocksRoot(stream), rank)) + NODE_BYTES_A_BLOCK;
    }
    if (looked > 0) bytes = Math.round((bytes / looked) * count);
    const groups = this.groups.count(stream);
    for (let i = 0; i < groups; i++) {
      bytes += this.groups.memoryUsage(this.groups.at(stream, i), samples);
    }
    return STREAM_HEAD_BYTES + bytes;
  }

  #copyGroup(group: Ref, to: Streams, stream: Ref): void {
    const { groups } = this;
    const id = groups.readLastId(group, this.#id);
    const copy = to.groups.create(stream, groups.name(group), id, groups.entriesRead(group));
    const count = groups.consumerCount(group);
    for (let i = 0; i < count; i++) {
      const consumer = groups.consumerAt(group, i);
      const name = groups.consumerName(consumer);
      const owner = to.groups.createConsumer(copy, name, groups.seenTime(consumer));
      const places = groups.walkConsumerPending(consumer, id.setZero());
      for (; places.ref !== NONE; places.next()) {
        const pending = to.groups.addPending(copy, owner, groups.readPendingId(places.ref, id));
        to.groups.setDeliveryTime(pending, groups.deliveryTime(places.ref));
        to.groups.setDeliveryCount(pending, groups.deliveryCount(places.ref));
      }
    }
  }
}
