/** Streams: nodes by id, facts, and consumer groups with their pending entries. */
import { StringSlot, signed64 } from './cursor.ts';
import type { RdbCursor } from './cursor.ts';
import { TYPE_STREAM_LISTPACKS_2, TYPE_STREAM_LISTPACKS_3 } from './format.ts';
import { StreamNodeCheck, idValue, writeIdValue } from './stream-node.ts';
import {
  STREAM_COUNT_DERIVED,
  STREAM_COUNT_UNKNOWN,
  type StreamId,
  type ValueSink,
} from './value.ts';
import type { ReadOutcome, ValueDecoder } from './value-decoder.ts';

const ID_BYTES = 16;
const TIME_BYTES = 8;

type Stage =
  | 'nodeCount'
  | 'node'
  | 'facts'
  | 'group'
  | 'pending'
  | 'consumerCount'
  | 'consumer'
  | 'consumerPending'
  | 'done';

export class StreamDecoder implements ValueDecoder {
  readonly #name: StringSlot = new StringSlot();
  readonly #blob: StringSlot = new StringSlot();
  readonly #check: StreamNodeCheck = new StreamNodeCheck();
  readonly #ids: Buffer = Buffer.alloc(3 * ID_BYTES);
  readonly #id: { buf: Buffer; at: number } = { buf: this.#ids, at: 0 };
  #type = 0;
  #stage: Stage = 'nodeCount';
  #nodes = 0;
  #groups = 0;
  #pending = 0;
  #consumers = 0;
  #consumerPending = 0;

  begin(type: number): void {
    this.#type = type;
    this.#stage = 'nodeCount';
    this.#check.begin();
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    while (this.#stage !== 'done') {
      const from = cursor.at;
      if (!this.#step(cursor, sink)) {
        cursor.at = from;
        return 'more';
      }
    }
    return 'done';
  }

  #step(cursor: RdbCursor, sink: ValueSink): boolean {
    switch (this.#stage) {
      case 'nodeCount': {
        const count = cursor.plainLength();
        if (count === undefined) return false;
        sink.stream();
        this.#nodes = count;
        this.#stage = count > 0 ? 'node' : 'facts';
        return true;
      }
      case 'node':
        return this.#node(cursor, sink);
      case 'facts':
        return this.#facts(cursor, sink);
      case 'group':
        return this.#group(cursor, sink);
      case 'pending':
        return this.#pendingEntry(cursor, sink);
      case 'consumerCount': {
        const count = cursor.plainLength();
        if (count === undefined) return false;
        this.#consumers = count;
        return this.#afterConsumer(cursor, sink);
      }
      case 'consumer':
        return this.#consumer(cursor, sink);
      case 'consumerPending':
        return this.#consumerEntry(cursor, sink);
      case 'done':
        return true;
    }
  }

  #node(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.#name)) return false;
    const name = this.#name;
    if (name.size !== ID_BYTES) {
      return cursor.refuse('Stream node key entry is not the size of a stream ID');
    }
    if (!cursor.string(this.#blob)) return false;
    if (!this.#check.node(name, this.#blob)) {
      return cursor.refuse('Stream listpack integrity check failed.');
    }
    // A node whose entries were all deleted has nothing to tell.
    if (this.#check.count > 0) sink.streamNode(name, this.#blob);
    if (--this.#nodes === 0) this.#stage = 'facts';
    return true;
  }

  #facts(cursor: RdbCursor, sink: ValueSink): boolean {
    const ids = this.#ids;
    const check = this.#check;
    const length = cursor.plainLength();
    if (length === undefined || !readId(cursor, ids, 0)) return false;
    if (length !== check.total) {
      return cursor.refuse('Stream length inconsistent with rax entries');
    }
    const lastId = { buf: ids, at: 0 };
    if (idValue(lastId) < check.last && length > 0) {
      return cursor.refuse('Stream last ID is smaller than that of an entry');
    }
    let entriesAdded: number | bigint = length;
    writeIdValue(ids, ID_BYTES, check.first ?? 0n);
    writeIdValue(ids, 2 * ID_BYTES, 0n);
    if (this.#type >= TYPE_STREAM_LISTPACKS_2) {
      if (!readId(cursor, ids, ID_BYTES) || !readId(cursor, ids, 2 * ID_BYTES)) return false;
      const added = cursor.signedLength();
      if (added === undefined) return false;
      entriesAdded = added;
    }
    const groups = cursor.plainLength();
    if (groups === undefined) return false;
    sink.streamFacts({
      length,
      lastId,
      firstId: { buf: ids, at: ID_BYTES },
      maxDeletedId: { buf: ids, at: 2 * ID_BYTES },
      entriesAdded,
    });
    this.#groups = groups;
    this.#stage = groups > 0 ? 'group' : 'done';
    return true;
  }

  #group(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.#name) || !readId(cursor, this.#ids, 0)) return false;
    let entriesRead: number | bigint = STREAM_COUNT_DERIVED;
    if (this.#type >= TYPE_STREAM_LISTPACKS_2) {
      const read = cursor.signedLength();
      if (read === undefined) return false;
      entriesRead = read < 0 ? STREAM_COUNT_UNKNOWN : read;
    }
    const pending = cursor.plainLength();
    if (pending === undefined) return false;
    if (!sink.streamGroup(this.#name, this.#idAt(this.#ids, 0), entriesRead)) {
      return cursor.refuse('Duplicated consumer group name');
    }
    this.#pending = pending;
    this.#stage = pending > 0 ? 'pending' : 'consumerCount';
    return true;
  }

  #pendingEntry(cursor: RdbCursor, sink: ValueSink): boolean {
    const from = cursor.at;
    if (!cursor.has(ID_BYTES + TIME_BYTES)) return false;
    cursor.at += ID_BYTES;
    const deliveredAt = readTime(cursor);
    const count = cursor.signedLength();
    if (count === undefined) return false;
    if (!sink.streamPending(this.#idAt(cursor.buf, from), deliveredAt, count)) {
      return cursor.refuse('Duplicated global PEL entry loading stream consumer group');
    }
    if (--this.#pending === 0) this.#stage = 'consumerCount';
    return true;
  }

  #consumer(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.#name)) return false;
    const hasActive = this.#type >= TYPE_STREAM_LISTPACKS_3;
    if (!cursor.has(hasActive ? 2 * TIME_BYTES : TIME_BYTES)) return false;
    const seenAt = readTime(cursor);
    const activeAt = hasActive ? readTime(cursor) : -1;
    const pending = cursor.plainLength();
    if (pending === undefined) return false;
    if (!sink.streamConsumer(this.#name, seenAt, activeAt)) {
      return cursor.refuse('Duplicate stream consumer detected');
    }
    this.#consumers--;
    this.#consumerPending = pending;
    if (pending === 0) return this.#afterConsumer(cursor, sink);
    this.#stage = 'consumerPending';
    return true;
  }

  #consumerEntry(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.has(ID_BYTES)) return false;
    if (!sink.streamConsumerPending(this.#idAt(cursor.buf, cursor.at))) {
      return cursor.refuse('Consumer entry not found in group global PEL');
    }
    cursor.at += ID_BYTES;
    return --this.#consumerPending > 0 || this.#afterConsumer(cursor, sink);
  }

  #afterConsumer(cursor: RdbCursor, sink: ValueSink): boolean {
    if (this.#consumers > 0) {
      this.#stage = 'consumer';
      return true;
    }
    if (!sink.streamGroupEnd()) {
      return cursor.refuse('NACK not assigned to any consumer while loading stream');
    }
    this.#stage = --this.#groups > 0 ? 'group' : 'done';
    return true;
  }

  #idAt(buf: Buffer, at: number): StreamId {
    this.#id.buf = buf;
    this.#id.at = at;
    return this.#id;
  }
}

/** Reads an id as two lengths and writes it as 16 bytes; false when it could not. */
function readId(cursor: RdbCursor, to: Buffer, at: number): boolean {
  return readHalf(cursor, to, at) && readHalf(cursor, to, at + 8);
}

function readHalf(cursor: RdbCursor, to: Buffer, at: number): boolean {
  cursor.wideHigh = 0;
  const half = cursor.plainLength();
  if (half === undefined) return false;
  const isWide = cursor.wideHigh > 0;
  to.writeUInt32BE(cursor.wideHigh, at);
  to.writeUInt32BE(isWide ? cursor.wideLow : half, at + 4);
  return true;
}

/** Milliseconds in 8 bytes, least significant first. */
function readTime(cursor: RdbCursor): number | bigint {
  const at = cursor.at;
  cursor.at += TIME_BYTES;
  return signed64(cursor.buf.readUInt32LE(at + 4), cursor.buf.readUInt32LE(at));
}
