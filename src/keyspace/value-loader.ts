/** Builds values in a database from the parts that RDB's decoders hand over. */
import { invariant } from '../base/index.ts';
import {
  type Bytes,
  type ContainerKind,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  type ValueSink,
  intsetCount,
  intsetGet,
  intsetWidth,
  isListpackEnd,
  listpackCount,
  parseScore,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { type Database, NO_EXPIRY } from './database.ts';
import {
  type BytesView,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  TYPE_HASH,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from './entry.ts';
import { StreamLoader } from './stream-loader.ts';

const NO_BYTES = Buffer.alloc(0);

/** One value at a time, under a key that is not there yet. */
export class ValueLoader extends StreamLoader implements ValueSink {
  #db: Database | undefined;
  readonly #key: BytesView = { buf: NO_BYTES, at: 0, size: 0 };
  readonly #name: ListpackReader = new ListpackReader();
  readonly #value: ListpackReader = new ListpackReader();
  #kind: ContainerKind = 'list';
  #ref: Ref = NONE;
  #expiry = NO_EXPIRY;

  /**
   * The parts that follow are of this key's value. The key's bytes stay valid until `end` or `discard`. `expiry` is a
   * unix time in milliseconds or NO_EXPIRY. Nothing of it counts as a change.
   */
  begin(db: Database, key: Bytes, expiry: number): void {
    this.#db = db;
    this.#expiry = expiry;
    this.#ref = NONE;
    this.#key.buf = key.buf;
    this.#key.at = key.at;
    this.#key.size = key.size;
  }

  /** The value is whole: its entry. */
  end(): Ref {
    invariant(this.#ref !== NONE, 'a value that is complete is there');
    const db = this.#target;
    const hasExpiry = this.#expiry !== NO_EXPIRY && db.entries.type(this.#ref) !== TYPE_STRING;
    return hasExpiry ? db.addExpiry(this.#ref, this.#expiry) : this.#ref;
  }

  /** Takes away what was built of a value that proved to be corrupt. */
  discard(): void {
    if (this.#ref === NONE || this.#db === undefined) return;
    this.#db.drop(this.#ref);
    this.#ref = NONE;
  }

  string(value: Bytes): void {
    this.#ref = this.#target.addString(this.#key, value, this.#expiry);
  }

  container(kind: ContainerKind): void {
    this.#kind = kind;
  }

  element(value: Bytes): boolean {
    const db = this.#target;
    if (this.#kind === 'set') return this.#member(value.buf, value.at, value.size);
    const { lists } = db.store;
    if (this.#ref === NONE) this.#ref = lists.create(db, this.#key, value);
    else this.#ref = lists.push(db, this.#ref, value, false);
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    const db = this.#target;
    const { hashes } = db.store;
    if (this.#ref === NONE) this.#ref = hashes.create(db, this.#key);
    this.#ref = hashes.set(db, this.#ref, name, value);
    return hashes.isChanged;
  }

  scored(member: Bytes, score: number): boolean {
    const db = this.#target;
    const { zsets } = db.store;
    const { buf, at, size } = member;
    if (this.#ref === NONE) this.#ref = zsets.create(db, this.#key, size);
    else if (!Number.isNaN(zsets.find(this.#ref, buf, at, size))) return false;
    this.#ref = zsets.insert(db, this.#ref, score, member);
    return true;
  }

  listpack(kind: ContainerKind, blob: Bytes): void {
    if (kind === 'list') this.#appendRun(blob);
    else if (kind === 'hash') this.#wholeHash(blob);
    else this.#wholeZset(blob);
  }

  intset(blob: Bytes): void {
    const db = this.#target;
    const { buf, at } = blob;
    const count = intsetCount(buf, at);
    if (count <= db.limits['set-max-intset-entries']) {
      this.#ref = db.addBlob(this.#key, TYPE_SET, ENCODING_INTSET, blob);
      return;
    }
    const width = intsetWidth(buf, at);
    for (let i = 0; i < count; i++) {
      const digits = Buffer.from(String(intsetGet(buf, at, width, i)));
      this.#member(digits, 0, digits.length);
    }
  }

  protected override addStream(add: (db: Database, key: BytesView) => Ref): void {
    this.#ref = add(this.#target, this.#key);
  }

  get #target(): Database {
    invariant(this.#db !== undefined, 'a value is loaded into a database');
    return this.#db;
  }

  #member(buf: Buffer, at: number, size: number): boolean {
    const db = this.#target;
    const { sets } = db.store;
    if (this.#ref === NONE) this.#ref = sets.create(db, this.#key, buf, at, size);
    this.#ref = sets.add(db, this.#ref, buf, at, size);
    return sets.isChanged;
  }

  #appendRun(blob: Bytes): void {
    const db = this.#target;
    const { lists } = db.store;
    if (this.#ref === NONE) this.#ref = lists.createOf(db, this.#key, blob);
    else this.#ref = lists.appendOf(db, this.#ref, blob);
  }

  #wholeHash(blob: Bytes): void {
    const db = this.#target;
    const { buf, at } = blob;
    if (listpackCount(buf, at) / 2 <= db.limits['hash-max-listpack-entries']) {
      this.#ref = db.addBlob(this.#key, TYPE_HASH, ENCODING_LISTPACK, blob);
      return;
    }
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = this.#value.read(buf, this.#name.read(buf, pos));
      this.field(asBytes(this.#name), asBytes(this.#value));
    }
  }

  #wholeZset(blob: Bytes): void {
    const db = this.#target;
    const { buf, at } = blob;
    if (listpackCount(buf, at) / 2 <= db.limits['zset-max-listpack-entries']) {
      this.#ref = db.addBlob(this.#key, TYPE_ZSET, ENCODING_LISTPACK, blob);
      return;
    }
    const value = this.#value;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = value.read(buf, this.#name.read(buf, pos));
      const score = value.isInt ? Number(value.int) : parseScore(value.buf, value.at, value.size);
      this.scored(asBytes(this.#name), score);
    }
  }
}

/** What is read from a Buffer is in one. */
function asBytes(element: ListpackReader): Bytes {
  return element as ListpackReader & { readonly buf: Buffer };
}
