/**
 * Decoders of values that this server has no place for, and that tools carry from one server to another: hashes with
 * fields that expire, in the forms of Redis 7.4 and of Valkey 9, and values of modules, which are passed over.
 */
import { StringSlot, signed64 } from './cursor.ts';
import type { RdbCursor } from './cursor.ts';
import {
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_MODULE_2,
} from './format.ts';
import {
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  isListpackEnd,
  isListpackSound,
  listpackCount,
} from './listpack.ts';
import type { Bytes, ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder, ValueDecoders } from './value-decoder.ts';

const TIME_BYTES = 8;
/** Of a field that stays. */
const NEVER = -1;
/** A field, its value, and when it expires. */
const LISTPACK_GROUP = 3;
/** What a part of a module's value begins with. */
const MODULE_END = 0;
const MODULE_SIGNED = 1;
const MODULE_UNSIGNED = 2;
const MODULE_FLOAT = 3;
const MODULE_DOUBLE = 4;
const MODULE_STRING = 5;

/** By type; the sink needs `expiringField`. */
export function createForeignDecoders(): ValueDecoders {
  const counted = new ExpiringFieldsDecoder();
  return new Map<number, ValueDecoder>([
    [TYPE_HASH_FIELD_EXPIRY, counted],
    [TYPE_HASH_FIELD_EXPIRY_TABLE, counted],
    [TYPE_HASH_FIELD_EXPIRY_LISTPACK, new ExpiringListpackDecoder()],
    [TYPE_MODULE_2, new ModuleDecoder()],
  ]);
}

/** Fields one by one: with Redis a time before each, relative to the earliest, with Valkey one behind each. */
class ExpiringFieldsDecoder implements ValueDecoder {
  readonly #name: StringSlot = new StringSlot();
  readonly #value: StringSlot = new StringSlot();
  #isOfValkey = false;
  #left = NEVER;
  #earliest = 0;

  begin(type: number): void {
    this.#isOfValkey = type === TYPE_HASH_FIELD_EXPIRY;
    this.#left = NEVER;
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    for (;;) {
      const from = cursor.at;
      const isDone = this.#left < 0 ? this.#head(cursor, sink) : this.#field(cursor, sink);
      if (!isDone) {
        cursor.at = from;
        return 'more';
      }
      if (this.#left === 0) return 'done';
    }
  }

  #head(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!this.#isOfValkey) {
      const earliest = readTime(cursor);
      if (earliest === undefined) return false;
      this.#earliest = earliest;
    }
    const count = cursor.plainLength();
    if (count === undefined) return false;
    if (count === 0) return cursor.refuse('Hash without fields');
    sink.container('hash', count);
    this.#left = count;
    return true;
  }

  #field(cursor: RdbCursor, sink: ValueSink): boolean {
    let expireAt: number | undefined = NEVER;
    if (!this.#isOfValkey) {
      const later = cursor.plainLength();
      if (later === undefined) return false;
      if (later > 0) expireAt = this.#earliest + later - 1;
    }
    if (!cursor.string(this.#name) || !cursor.string(this.#value)) return false;
    if (this.#isOfValkey) expireAt = readTime(cursor);
    if (expireAt === undefined) return false;
    this.#left--;
    return give(cursor, sink, this.#name, this.#value, expireAt);
  }
}

class ExpiringListpackDecoder implements ValueDecoder {
  readonly #blob: StringSlot = new StringSlot();
  readonly #name: StringSlot = new StringSlot();
  readonly #value: StringSlot = new StringSlot();
  readonly #reader: ListpackReader = new ListpackReader();

  begin(): void {
    this.#blob.set(this.#blob.buf, 0, 0);
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    const from = cursor.at;
    // The earliest time stands before the fields; they have it too.
    if (readTime(cursor) === undefined || !cursor.string(this.#blob)) {
      cursor.at = from;
      return 'more';
    }
    const { buf, at, size } = this.#blob;
    const count = isListpackSound(buf, at, size) ? listpackCount(buf, at) : 0;
    if (count === 0 || count % LISTPACK_GROUP !== 0) {
      cursor.fail('Hash listpack integrity check failed.');
      return 'more';
    }
    sink.container('hash', count / LISTPACK_GROUP);
    return this.#fields(cursor, sink) ? 'done' : 'more';
  }

  #fields(cursor: RdbCursor, sink: ValueSink): boolean {
    const { buf, at } = this.#blob;
    const reader = this.#reader;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = reader.read(buf, pos);
      this.#name.setCopy(elementOf(reader), 0, reader.size);
      pos = reader.read(buf, pos);
      this.#value.setCopy(elementOf(reader), 0, reader.size);
      pos = reader.read(buf, pos);
      const expireAt = Number(elementOf(reader).toString('latin1'));
      if (!Number.isSafeInteger(expireAt)) {
        return cursor.refuse('Hash listpack integrity check failed.');
      }
      if (!give(cursor, sink, this.#name, this.#value, expireAt === 0 ? NEVER : expireAt)) {
        return false;
      }
    }
    return true;
  }
}

function elementOf({ buf, at, size }: ListpackReader): Buffer {
  return Buffer.from(buf.buffer, buf.byteOffset + at, size);
}

function give(
  cursor: RdbCursor,
  sink: ValueSink,
  name: Bytes,
  value: Bytes,
  expireAtUnixMs: number,
): boolean {
  const isNew =
    expireAtUnixMs < 0
      ? sink.field(name, value)
      : (sink.expiringField?.(name, value, expireAtUnixMs) ?? true);
  return isNew || cursor.refuse('Duplicate hash fields detected');
}

/** Milliseconds in 8 bytes, least significant first. */
function readTime(cursor: RdbCursor): number | undefined {
  if (!cursor.has(TIME_BYTES)) return undefined;
  const at = cursor.at;
  cursor.at += TIME_BYTES;
  return Number(signed64(cursor.buf.readUInt32LE(at + 4), cursor.buf.readUInt32LE(at)));
}

/** Finds the end; the sink is told nothing. */
class ModuleDecoder implements ValueDecoder {
  #hasId = false;

  begin(): void {
    this.#hasId = false;
  }

  read(cursor: RdbCursor): ReadOutcome {
    for (;;) {
      const from = cursor.at;
      const part = this.#hasId ? skipModulePart(cursor) : skipModuleId(cursor);
      if (part === 'more') {
        cursor.at = from;
        return 'more';
      }
      if (part === 'end') return 'done';
      this.#hasId = true;
    }
  }
}

/** What came of passing over a part of a module's value: nothing yet, a part, or what ends it. */
export type ModulePart = 'more' | 'part' | 'end';

/** The first part, which tells the module. */
export function skipModuleId(cursor: RdbCursor): ModulePart {
  return cursor.plainLength() === undefined ? 'more' : 'part';
}

/** The next part. The caller moves the cursor back where it was not there. */
export function skipModulePart(cursor: RdbCursor): ModulePart {
  const kind = cursor.plainLength();
  switch (kind) {
    case undefined:
      return 'more';
    case MODULE_END:
      return 'end';
    case MODULE_SIGNED:
    case MODULE_UNSIGNED:
      return skipModuleId(cursor);
    case MODULE_FLOAT:
    case MODULE_DOUBLE: {
      const size = kind === MODULE_FLOAT ? 4 : 8;
      if (!cursor.has(size)) return 'more';
      cursor.at += size;
      return 'part';
    }
    case MODULE_STRING:
      return cursor.skipString() ? 'part' : 'more';
    default:
      cursor.fail(`Unknown part ${kind} of a module value`);
      return 'more';
  }
}
