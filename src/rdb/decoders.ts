/** The decoders of all value types. */
import type { RdbCursor } from './cursor.ts';
import { StringSlot } from './cursor.ts';
import { HashDecoder, ListDecoder, SetDecoder, ZsetDecoder } from './container-decoders.ts';
import {
  TYPE_HASH,
  TYPE_HASH_LISTPACK,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
  TYPE_SET,
  TYPE_SET_INTSET,
  TYPE_SET_LISTPACK,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STRING,
  TYPE_ZSET,
  TYPE_ZSET_2,
  TYPE_ZSET_LISTPACK,
  TYPE_ZSET_ZIPLIST,
} from './format.ts';
import { PackedDecoder } from './packed-decoder.ts';
import { QuicklistDecoder } from './quicklist-decoder.ts';
import { StreamDecoder } from './stream-decoder.ts';
import type { ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder, ValueDecoders } from './value-decoder.ts';

class StringDecoder implements ValueDecoder {
  readonly #slot: StringSlot = new StringSlot();

  begin(): void {
    this.#slot.set(this.#slot.buf, 0, 0);
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    const from = cursor.at;
    if (!cursor.string(this.#slot)) {
      cursor.at = from;
      return 'more';
    }
    sink.string(this.#slot);
    return 'done';
  }
}

/** Fresh decoders of all types. */
export function createDecoders(): ValueDecoders {
  const list = new ListDecoder();
  const set = new SetDecoder();
  const zset = new ZsetDecoder();
  const hash = new HashDecoder();
  const packed = new PackedDecoder();
  const quicklist = new QuicklistDecoder();
  const stream = new StreamDecoder();
  return new Map<number, ValueDecoder>([
    [TYPE_STRING, new StringDecoder()],
    [TYPE_LIST, list],
    [TYPE_SET, set],
    [TYPE_ZSET, zset],
    [TYPE_ZSET_2, zset],
    [TYPE_HASH, hash],
    [TYPE_HASH_ZIPMAP, packed],
    [TYPE_LIST_ZIPLIST, packed],
    [TYPE_SET_INTSET, packed],
    [TYPE_ZSET_ZIPLIST, packed],
    [TYPE_HASH_ZIPLIST, packed],
    [TYPE_HASH_LISTPACK, packed],
    [TYPE_ZSET_LISTPACK, packed],
    [TYPE_SET_LISTPACK, packed],
    [TYPE_LIST_QUICKLIST, quicklist],
    [TYPE_LIST_QUICKLIST_2, quicklist],
    [TYPE_STREAM_LISTPACKS, stream],
    [TYPE_STREAM_LISTPACKS_2, stream],
    [TYPE_STREAM_LISTPACKS_3, stream],
  ]);
}
