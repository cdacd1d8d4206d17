/** The part of the saver that writes streams. */
import { invariant } from '../base/index.ts';
import type { RdbWriter } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { StreamId } from './stream-id.ts';
import type { Streams } from './streams.ts';

const ID_BYTES = 16;

/** Writes one stream at a time, its nodes in steps, then its groups. */
export class StreamSaver {
  readonly #writer: RdbWriter;
  readonly #id: StreamId = new StreamId();
  readonly #idBytes: Buffer = Buffer.alloc(ID_BYTES);
  #streams: Streams | undefined;
  #stream: Ref = NONE;
  #nextBlock = 0;
  #blockCount = 0;

  constructor(writer: RdbWriter) {
    this.#writer = writer;
  }

  begin(streams: Streams, stream: Ref): void {
    this.#streams = streams;
    this.#stream = stream;
    this.#nextBlock = 0;
    this.#blockCount = streams.blockCount(stream);
    this.#writer.length(this.#blockCount);
  }

  /** Writes about `max` entries more; whether there are still more. */
  next(max: number): boolean {
    const streams = this.#streams;
    invariant(streams !== undefined, 'a stream is begun before it goes on');
    const root = streams.blocksRoot(this.#stream);
    for (let left = max; left > 0 && this.#nextBlock < this.#blockCount; this.#nextBlock++) {
      const block = streams.ids.at(root, this.#nextBlock);
      this.#writeIdBytes(streams.blocks.readFirstId(block, this.#id));
      const { buf, at, size } = streams.listpack(block);
      this.#writer.string(buf, at, size);
      left -= streams.blocks.liveCount(block);
    }
    if (this.#nextBlock < this.#blockCount) return true;
    this.#writeFacts(streams);
    this.#writeGroups(streams);
    return false;
  }

  #writeFacts(streams: Streams): void {
    const writer = this.#writer;
    const stream = this.#stream;
    const id = this.#id;
    writer.length(streams.length(stream));
    this.#writeId(streams.readLastId(stream, id));
    this.#writeId(streams.readFirstId(stream, id));
    this.#writeId(streams.readMaxDeletedId(stream, id));
    writer.signedLength(streams.entriesAdded(stream));
  }

  #writeGroups({ groups }: Streams): void {
    const writer = this.#writer;
    const count = groups.count(this.#stream);
    const id = this.#id;
    writer.length(count);
    for (let i = 0; i < count; i++) {
      const group = groups.at(this.#stream, i);
      this.#writeName(groups.name(group));
      this.#writeId(groups.readLastId(group, id));
      writer.signedLength(groups.entriesRead(group));
      writer.length(groups.pendingCount(group));
      const walk = groups.walkPending(group, id.setZero());
      for (; walk.ref !== NONE; walk.next()) {
        this.#putIdBytes(groups.readPendingId(walk.ref, id));
        writer.milliseconds(groups.deliveryTime(walk.ref));
        writer.signedLength(groups.deliveryCount(walk.ref));
      }
      this.#writeConsumers(groups, group);
    }
  }

  #writeConsumers(groups: Streams['groups'], group: Ref): void {
    const writer = this.#writer;
    const count = groups.consumerCount(group);
    const id = this.#id;
    writer.length(count);
    for (let i = 0; i < count; i++) {
      const consumer = groups.consumerAt(group, i);
      this.#writeName(groups.consumerName(consumer));
      writer.milliseconds(groups.seenTime(consumer));
      writer.length(groups.consumerPendingCount(consumer));
      const walk = groups.walkConsumerPending(consumer, id.setZero());
      for (; walk.ref !== NONE; walk.next()) this.#putIdBytes(groups.readPendingId(walk.ref, id));
    }
  }

  #writeName({ buf, at, size }: { buf: Uint8Array; at: number; size: number }): void {
    this.#writer.string(buf, at, size);
  }

  /** An id as two lengths. */
  #writeId(id: StreamId): void {
    this.#writer.wideLength(id.msHigh >>> 0, id.msLow >>> 0);
    this.#writer.wideLength(id.seqHigh >>> 0, id.seqLow >>> 0);
  }

  /** An id as a string of 16 bytes. */
  #writeIdBytes(id: StreamId): void {
    this.#writer.length(ID_BYTES);
    this.#putIdBytes(id);
  }

  /** An id as 16 bytes. */
  #putIdBytes(id: StreamId): void {
    const bytes = this.#idBytes;
    bytes.writeInt32BE(id.msHigh, 0);
    bytes.writeInt32BE(id.msLow, 4);
    bytes.writeInt32BE(id.seqHigh, 8);
    bytes.writeInt32BE(id.seqLow, 12);
    this.#writer.raw(bytes, 0, ID_BYTES);
  }
}
