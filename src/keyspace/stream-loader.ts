/** The part of the loader that builds streams. */
import { invariant } from '../base/index.ts';
import {
  type Bytes,
  STREAM_COUNT_DERIVED,
  type StreamFacts,
  type StreamId as IdBytes,
  type StreamSink,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { StreamId } from './stream-id.ts';
import { entriesUpTo } from './stream-progress.ts';
import type { Streams } from './streams.ts';

export abstract class StreamLoader implements StreamSink {
  #streams: Streams | undefined;
  #stream: Ref = NONE;
  #group: Ref = NONE;
  #consumer: Ref = NONE;
  /** Pending entries of the group that have no consumer yet. */
  #unownedCount = 0;
  readonly #id: StreamId = new StreamId();

  /** Makes a stream and its entry; its block is returned. */
  protected abstract addStream(): Ref;

  /** The streams of the store that is loaded into. */
  protected abstract get streams(): Streams;

  stream(): void {
    this.#streams = this.streams;
    this.#stream = this.addStream();
  }

  streamNode(id: IdBytes, blob: Bytes): void {
    this.#all.loadBlock(this.#stream, this.#idOf(id), blob);
  }

  streamFacts({ lastId, firstId, maxDeletedId, entriesAdded }: StreamFacts): void {
    const streams = this.#all;
    const stream = this.#stream;
    streams.setLastId(stream, this.#idOf(lastId));
    streams.setFirstId(stream, this.#idOf(firstId));
    streams.setMaxDeletedId(stream, this.#idOf(maxDeletedId));
    streams.setEntriesAdded(stream, entriesAdded);
  }

  streamGroup(name: Bytes, lastId: IdBytes, entriesRead: number | bigint): boolean {
    const streams = this.#all;
    if (streams.groups.find(this.#stream, name) !== NONE) return false;
    const id = this.#idOf(lastId);
    const isDerived = entriesRead === STREAM_COUNT_DERIVED;
    const count = isDerived ? entriesUpTo(streams, this.#stream, id) : entriesRead;
    this.#group = streams.groups.create(this.#stream, name, id, count);
    this.#unownedCount = 0;
    return true;
  }

  streamPending(
    id: IdBytes,
    deliveredAtUnixMs: number | bigint,
    deliveryCount: number | bigint,
  ): boolean {
    const { groups } = this.#all;
    const own = this.#idOf(id);
    if (groups.findPending(this.#group, own) !== NONE) return false;
    const pending = groups.addPending(this.#group, NONE, own);
    groups.setDeliveryTime(pending, deliveredAtUnixMs);
    groups.setDeliveryCount(pending, deliveryCount);
    this.#unownedCount++;
    return true;
  }

  streamConsumer(name: Bytes, seenAtUnixMs: number | bigint): boolean {
    const { groups } = this.#all;
    if (groups.findConsumer(this.#group, name) !== NONE) return false;
    this.#consumer = groups.createConsumer(this.#group, name, seenAtUnixMs);
    return true;
  }

  streamConsumerPending(id: IdBytes): boolean {
    const { groups } = this.#all;
    const pending = groups.findPending(this.#group, this.#idOf(id));
    if (pending === NONE || groups.owner(pending) !== NONE) return false;
    groups.assign(pending, this.#consumer);
    this.#unownedCount--;
    return true;
  }

  streamGroupEnd(): boolean {
    return this.#unownedCount === 0;
  }

  get #all(): Streams {
    invariant(this.#streams !== undefined, 'a stream is begun before its parts come');
    return this.#streams;
  }

  #idOf({ buf, at }: IdBytes): StreamId {
    const id = this.#id;
    id.msHigh = buf.readInt32BE(at);
    id.msLow = buf.readInt32BE(at + 4);
    id.seqHigh = buf.readInt32BE(at + 8);
    id.seqLow = buf.readInt32BE(at + 12);
    return id;
  }
}
