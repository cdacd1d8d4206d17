/**
 * Consumer groups of streams: groups and consumers in the order of their names, and pending entries
 * (delivered and not acknowledged) by id, each in the tree of its group and in that of its
 * consumer.
 *
 * A group is an element whose prefix is, in words: last id delivered (4), entries read (2, -1 for
 * unknown), root of its pending entries, root of its consumers. A consumer's: time it was last
 * seen (2), root of its pending entries, nothing. A pending entry: id (4), time of delivery (2),
 * deliveries (2), consumer (NONE while it is being loaded), nothing.
 */
import { invariant } from '../base/index.ts';
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { Elements } from './elements.ts';
import type { BytesView } from './entry.ts';
import type { KeyHash } from './hash.ts';
import { RankCursor } from './rank-cursor.ts';
import { NameOrder } from './name-order.ts';
import { RankTree } from './rank-tree.ts';
import { IdOrder, type StreamId, readInt64, writeInt64 } from './stream-id.ts';

/** Entries read by a group of which nobody knows how many they are. */
export const ENTRIES_READ_UNKNOWN = -1;

const LAST_ID = 0;
const ENTRIES_READ = 4;
const GROUP_PENDING = 6;
const CONSUMERS = 7;
const GROUP_BYTES = 32;

const SEEN_TIME = 0;
const CONSUMER_PENDING = 2;
const CONSUMER_BYTES = 16;

const DELIVERY_TIME = 4;
const DELIVERY_COUNT = 6;
const OWNER = 8;
const PENDING_BYTES = 40;

/** Where a stream keeps the root of its groups. */
export interface GroupRoots {
  groupsRoot(stream: Ref): Ref;
  setGroupsRoot(stream: Ref, root: Ref): void;
}

/** The groups of the streams of one arena. Groups, consumers and pending entries never move. */
export class StreamGroups {
  /** Walks pending entries for whoever needs it, one walk at a time. */
  readonly walk: RankCursor;
  readonly #arena: Arena;
  readonly #roots: GroupRoots;
  readonly #groups: Elements;
  readonly #consumers: Elements;
  readonly #groupOrder: NameOrder;
  readonly #consumerOrder: NameOrder;
  readonly #groupTrees: RankTree;
  readonly #consumerTrees: RankTree;
  readonly #idOrder: IdOrder;
  readonly #ids: RankTree;

  constructor(arena: Arena, hash: KeyHash, roots: GroupRoots) {
    this.#arena = arena;
    this.walk = new RankCursor(arena);
    this.#roots = roots;
    this.#groups = new Elements(arena, hash, GROUP_BYTES);
    this.#consumers = new Elements(arena, hash, CONSUMER_BYTES);
    this.#groupOrder = new NameOrder(this.#groups);
    this.#consumerOrder = new NameOrder(this.#consumers);
    this.#groupTrees = new RankTree(arena, this.#groupOrder);
    this.#consumerTrees = new RankTree(arena, this.#consumerOrder);
    this.#idOrder = new IdOrder(arena);
    this.#ids = new RankTree(arena, this.#idOrder);
  }

  /** Groups of a stream. */
  count(stream: Ref): number {
    return this.#groupTrees.count(this.#roots.groupsRoot(stream));
  }

  /** The group of a rank in the order of names. */
  at(stream: Ref, rank: number): Ref {
    return this.#groupTrees.at(this.#roots.groupsRoot(stream), rank);
  }

  /** The group of this name, or NONE. */
  find(stream: Ref, name: Readonly<BytesView>): Ref {
    this.#groupOrder.setProbe(name);
    return this.#groupTrees.find(this.#roots.groupsRoot(stream));
  }

  /** A new group, whose name the stream does not have. */
  create(
    stream: Ref,
    name: Readonly<BytesView>,
    lastId: StreamId,
    entriesRead: number | bigint,
  ): Ref {
    const group = this.#groups.create(name.buf, name.at, name.size, 0);
    const words = this.#words(group);
    const at = start(group);
    lastId.write(words, at + LAST_ID);
    writeInt64(words, at + ENTRIES_READ, entriesRead);
    words[at + GROUP_PENDING] = NONE;
    words[at + CONSUMERS] = NONE;
    this.adopt(stream, group);
    return group;
  }

  /** Makes a group that is nobody's one of this stream's. */
  adopt(stream: Ref, group: Ref): void {
    this.#groupOrder.setProbe(this.#groups.name(group));
    this.#roots.setGroupsRoot(
      stream,
      this.#groupTrees.insert(this.#roots.groupsRoot(stream), group),
    );
  }

  /** Takes a group out of its stream, with all it has. */
  release(stream: Ref, group: Ref): void {
    this.#groupOrder.setProbe(this.#groups.name(group));
    this.#roots.setGroupsRoot(stream, this.#groupTrees.remove(this.#roots.groupsRoot(stream)));
  }

  /** A group's name, in a view that the next call reuses. */
  name(group: Ref): BytesView {
    return this.#groups.name(group);
  }

  readLastId(group: Ref, into: StreamId): StreamId {
    return into.read(this.#words(group), start(group) + LAST_ID);
  }

  setLastId(group: Ref, id: StreamId): void {
    id.write(this.#words(group), start(group) + LAST_ID);
  }

  /** Entries that the group has read, or ENTRIES_READ_UNKNOWN. */
  entriesRead(group: Ref): number | bigint {
    return readInt64(this.#words(group), start(group) + ENTRIES_READ);
  }

  setEntriesRead(group: Ref, count: number | bigint): void {
    writeInt64(this.#words(group), start(group) + ENTRIES_READ, count);
  }

  consumerCount(group: Ref): number {
    return this.#consumerTrees.count(this.#word(group, CONSUMERS));
  }

  /** The consumer of a rank in the order of names. */
  consumerAt(group: Ref, rank: number): Ref {
    return this.#consumerTrees.at(this.#word(group, CONSUMERS), rank);
  }

  /** The group's consumer of this name, or NONE. */
  findConsumer(group: Ref, name: Readonly<BytesView>): Ref {
    this.#consumerOrder.setProbe(name);
    return this.#consumerTrees.find(this.#word(group, CONSUMERS));
  }

  /** A new consumer, whose name the group does not have. */
  createConsumer(group: Ref, name: Readonly<BytesView>, seenAtMs: number | bigint): Ref {
    const consumer = this.#consumers.create(name.buf, name.at, name.size, 0);
    const words = this.#words(consumer);
    writeInt64(words, start(consumer) + SEEN_TIME, seenAtMs);
    words[start(consumer) + CONSUMER_PENDING] = NONE;
    this.#consumerOrder.setProbe(name);
    const root = this.#consumerTrees.insert(this.#word(group, CONSUMERS), consumer);
    this.#setWord(group, CONSUMERS, root);
    return consumer;
  }

  /** Deletes a consumer with its pending entries; returns how many these were. */
  deleteConsumer(group: Ref, consumer: Ref): number {
    const count = this.consumerPendingCount(consumer);
    for (let left = count; left > 0; left--) {
      this.removePending(group, this.#ids.at(this.#word(consumer, CONSUMER_PENDING), left - 1));
    }
    this.#consumerOrder.setProbe(this.#consumers.name(consumer));
    this.#setWord(group, CONSUMERS, this.#consumerTrees.remove(this.#word(group, CONSUMERS)));
    this.#arena.free(consumer);
    return count;
  }

  /** A consumer's name, in a view that the next call reuses. */
  consumerName(consumer: Ref): BytesView {
    return this.#consumers.name(consumer);
  }

  /** Unix milliseconds at which the consumer was last seen. */
  seenTime(consumer: Ref): number | bigint {
    return readInt64(this.#words(consumer), start(consumer) + SEEN_TIME);
  }

  setSeenTime(consumer: Ref, seenAtMs: number): void {
    writeInt64(this.#words(consumer), start(consumer) + SEEN_TIME, seenAtMs);
  }

  /** Pending entries of a group. */
  pendingCount(group: Ref): number {
    return this.#ids.count(this.#word(group, GROUP_PENDING));
  }

  /** Pending entries of a consumer. */
  consumerPendingCount(consumer: Ref): number {
    return this.#ids.count(this.#word(consumer, CONSUMER_PENDING));
  }

  /** A group's pending entry with this id, or NONE. */
  findPending(group: Ref, id: StreamId): Ref {
    this.#idOrder.probe.set(id);
    return this.#ids.find(this.#word(group, GROUP_PENDING));
  }

  /**
   * Notes that an entry, which is not pending in this group, was delivered. Without a consumer
   * (NONE) it waits for `assign`.
   */
  addPending(group: Ref, consumer: Ref, id: StreamId): Ref {
    const pending = this.#arena.alloc(PENDING_BYTES);
    const words = this.#words(pending);
    const at = start(pending);
    id.write(words, at);
    writeInt64(words, at + DELIVERY_TIME, 0);
    writeInt64(words, at + DELIVERY_COUNT, 1);
    words[at + OWNER] = NONE;
    this.#idOrder.probe.set(id);
    this.#setWord(
      group,
      GROUP_PENDING,
      this.#ids.insert(this.#word(group, GROUP_PENDING), pending),
    );
    if (consumer !== NONE) this.assign(pending, consumer);
    return pending;
  }

  /** Makes a pending entry another consumer's. */
  assign(pending: Ref, consumer: Ref): void {
    const owner = this.owner(pending);
    if (owner === consumer) return;
    this.readPendingId(pending, this.#idOrder.probe);
    if (owner !== NONE) this.#disown(owner);
    const root = this.#ids.insert(this.#word(consumer, CONSUMER_PENDING), pending);
    this.#setWord(consumer, CONSUMER_PENDING, root);
    this.#setWord(pending, OWNER, consumer);
  }

  /** Removes a pending entry: it was acknowledged, or is gone. */
  removePending(group: Ref, pending: Ref): void {
    this.readPendingId(pending, this.#idOrder.probe);
    const owner = this.owner(pending);
    if (owner !== NONE) this.#disown(owner);
    this.#setWord(group, GROUP_PENDING, this.#ids.remove(this.#word(group, GROUP_PENDING)));
    this.#arena.free(pending);
  }

  /** Whether every pending entry of a group has a consumer. */
  areAllOwned(group: Ref): boolean {
    let owned = 0;
    const count = this.consumerCount(group);
    for (let i = 0; i < count; i++) owned += this.consumerPendingCount(this.consumerAt(group, i));
    return owned === this.pendingCount(group);
  }

  readPendingId(pending: Ref, into: StreamId): StreamId {
    return into.read(this.#words(pending), start(pending));
  }

  /** Unix milliseconds of the last delivery. */
  deliveryTime(pending: Ref): number | bigint {
    return readInt64(this.#words(pending), start(pending) + DELIVERY_TIME);
  }

  setDeliveryTime(pending: Ref, atMs: number | bigint): void {
    writeInt64(this.#words(pending), start(pending) + DELIVERY_TIME, atMs);
  }

  deliveryCount(pending: Ref): number | bigint {
    return readInt64(this.#words(pending), start(pending) + DELIVERY_COUNT);
  }

  setDeliveryCount(pending: Ref, count: number | bigint): void {
    writeInt64(this.#words(pending), start(pending) + DELIVERY_COUNT, count);
  }

  /** Counts one more delivery. */
  addDelivery(pending: Ref): void {
    const count = this.deliveryCount(pending);
    this.setDeliveryCount(pending, typeof count === 'number' ? count + 1 : count + 1n);
  }

  /** The consumer whose entry it is. */
  owner(pending: Ref): Ref {
    return this.#word(pending, OWNER);
  }

  /** Sends `walk` to a group's first pending entry with an id of at least `from`. */
  walkPending(group: Ref, from: StreamId): RankCursor {
    return this.#seek(this.#word(group, GROUP_PENDING), from);
  }

  /** Sends `walk` to a consumer's first pending entry with an id of at least `from`. */
  walkConsumerPending(consumer: Ref, from: StreamId): RankCursor {
    return this.#seek(this.#word(consumer, CONSUMER_PENDING), from);
  }

  /** Ids of the first and the last pending entry of a group that has any. */
  readPendingBounds(group: Ref, first: StreamId, last: StreamId): void {
    const root = this.#word(group, GROUP_PENDING);
    invariant(root !== NONE, 'bounds are asked of pending entries that are there');
    this.readPendingId(this.#ids.at(root, 0), first);
    this.readPendingId(this.#ids.at(root, this.#ids.count(root) - 1), last);
  }

  /** Frees about `max` blocks of a stream's groups, which nobody asks for anything again; whether any are left. */
  dismantle(stream: Ref, max: number): boolean {
    let left = max;
    while (left > 0) {
      const count = this.count(stream);
      if (count === 0) return false;
      const group = this.at(stream, count - 1);
      left = this.#dismantleGroup(group, left);
      if (left <= 0) return true;
      const root = this.#groupTrees.removeAt(this.#roots.groupsRoot(stream), count - 1);
      this.#roots.setGroupsRoot(stream, root);
      this.#arena.free(group);
      left--;
    }
    return true;
  }

  /** Bytes of a group's blocks. */
  memoryUsage(group: Ref, samples: number): number {
    const arena = this.#arena;
    const pending = this.#word(group, GROUP_PENDING);
    let bytes = arena.capacity(group) + this.#ids.memoryUsage(pending, samples);
    // A consumer has another node entry for each of its pending entries.
    bytes += this.#ids.count(pending) * (PENDING_BYTES + 5);
    const count = this.consumerCount(group);
    for (let i = 0; i < count; i++) bytes += arena.capacity(this.consumerAt(group, i)) + 5;
    return bytes;
  }

  /** Frees what a group has; returns what is left of `max`, above 0 when nothing of it is. */
  #dismantleGroup(group: Ref, max: number): number {
    const arena = this.#arena;
    let left = max;
    for (let count = this.consumerCount(group); count > 0; count--) {
      const consumer = this.consumerAt(group, count - 1);
      for (let root; (root = this.#word(consumer, CONSUMER_PENDING)) !== NONE;) {
        if (left <= 0) return 0;
        const visit = (): void => void left--;
        this.#setWord(consumer, CONSUMER_PENDING, this.#ids.dismantle(root, 1, visit));
      }
      if (left <= 0) return 0;
      this.#setWord(
        group,
        CONSUMERS,
        this.#consumerTrees.removeAt(this.#word(group, CONSUMERS), count - 1),
      );
      arena.free(consumer);
      left--;
    }
    for (let root; (root = this.#word(group, GROUP_PENDING)) !== NONE;) {
      if (left <= 0) return 0;
      const visit = (pending: Ref): void => {
        arena.free(pending);
        left--;
      };
      this.#setWord(group, GROUP_PENDING, this.#ids.dismantle(root, 1, visit));
    }
    return left;
  }

  /** Takes the pending entry that the probe is out of its consumer's tree. */
  #disown(owner: Ref): void {
    this.#setWord(owner, CONSUMER_PENDING, this.#ids.remove(this.#word(owner, CONSUMER_PENDING)));
  }

  #seek(root: Ref, from: StreamId): RankCursor {
    this.#idOrder.probe.set(from);
    this.walk.seek(root, this.#ids.lowerBound(root));
    return this.walk;
  }

  #words(ref: Ref): Int32Array {
    return this.#arena.i32[ref >>> SLAB_SHIFT]!;
  }

  #word(ref: Ref, which: number): number {
    return this.#words(ref)[start(ref) + which]!;
  }

  #setWord(ref: Ref, which: number, value: number): void {
    this.#words(ref)[start(ref) + which] = value;
  }
}

/** Where in its slab's words a block starts. */
function start(ref: Ref): number {
  return (ref & UNIT_MASK) << 1;
}
