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
import { AsideHost } from './aside-host.ts';
import type { Database } from './database.ts';
import {
  type BytesView,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_STREAM,
  TYPE_HASH,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_ZSET,
} from './entry.ts';
import { KeyIntake } from './key-intake.ts';
import { StreamLoader } from './stream-loader.ts';
import type { Streams } from './streams.ts';

const NO_BYTES = Buffer.alloc(0);

/** Most elements that room is made for before they are there: what a file says costs a few megabytes at most. */
const EXPECTED_MAX: number = 1 << 20;

/** A key that came although it was there already. */
export interface LoadedTwice {
  readonly key: Buffer;
  readonly dbIndex: number;
}

/**
 * One value at a time, under a key that is not there yet and no key before it is whole. With `isBulk` values come into the
 * key index many at a time, and that a key was there already comes out at the latest with `flush`; until then no look-up
 * finds them.
 */
export class ValueLoader extends StreamLoader implements ValueSink {
  readonly #isBulk: boolean;
  #db: Database | undefined;
  #aside: AsideHost | undefined;
  #intake: KeyIntake | undefined;
  #duplicate: LoadedTwice | undefined;
  readonly #key: BytesView = { buf: NO_BYTES, at: 0, size: 0 };
  readonly #name: ListpackReader = new ListpackReader();
  readonly #value: ListpackReader = new ListpackReader();
  #kind: ContainerKind = 'list';
  /** Elements that the container is said to have. */
  #expected = 1;
  #ref: Ref = NONE;
  /** Whether the value was whole and got its place. */
  #isPlaced = false;

  constructor(isBulk = false) {
    super();
    this.#isBulk = isBulk;
  }

  /** Most elements that room is made for before they are there: what a file says costs a few megabytes at most. */
  EXPECTED_MAX: number = 1 << 20;

  /** A key that came although it was there already, when there was one. */
  get duplicate(): LoadedTwice | undefined {
    return this.#duplicate;
  }

  /** Puts what waits into the key index. */
  flush(): void {
    const key = this.#intake?.flush();
    if (key !== undefined) this.#noteDuplicate(key);
  }

  /**
   * The parts that follow are of this key's value. The key's bytes stay valid until `end` or `discard`. `expiry` is a
   * unix time in milliseconds or NO_EXPIRY. Nothing of it counts as a change.
   */
  begin(db: Database, key: Bytes, expiry: number): void {
    if (this.#db !== db) this.#turnTo(db);
    this.#host.expiry = expiry;
    this.#ref = NONE;
    this.#isPlaced = false;
    this.#key.buf = key.buf;
    this.#key.at = key.at;
    this.#key.size = key.size;
  }

  /** The value is whole: its entry. */
  end(): Ref {
    const ref = this.#ref;
    invariant(ref !== NONE, 'a value that is complete is there');
    const db = this.#target;
    const intake = this.#intake;
    this.#isPlaced = true;
    if (intake === undefined) db.link(ref);
    else {
      if (intake.isFull) this.flush();
      intake.add(ref);
    }
    db.signal(ref);
    return ref;
  }

  /** Takes away what was built of a value that proved to be corrupt, or a whole one that is not wanted. */
  discard(): void {
    const ref = this.#ref;
    if (ref === NONE) return;
    this.#ref = NONE;
    if (!this.#isPlaced) this.#target.freeAside(ref);
    else if (this.#intake?.removeLast(ref) !== true) this.#target.drop(ref);
  }

  string(value: Bytes): void {
    this.#ref = this.#target.createString(this.#key, value, this.#host.expiry);
  }

  container(kind: ContainerKind, count: number): void {
    this.#kind = kind;
    this.#expected = Math.min(count, EXPECTED_MAX);
  }

  element(value: Bytes): boolean {
    if (this.#kind === 'set') return this.#member(value.buf, value.at, value.size);
    const { lists } = this.#target.store;
    const host = this.#host;
    if (this.#ref === NONE) this.#ref = lists.create(host, this.#key, value);
    else this.#ref = lists.push(host, this.#ref, value, false);
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    const { hashes } = this.#target.store;
    const host = this.#host;
    if (this.#ref === NONE) this.#ref = hashes.create(host, this.#key, this.#expected);
    this.#ref = hashes.set(host, this.#ref, name, value);
    return hashes.isChanged;
  }

  scored(member: Bytes, score: number): boolean {
    const { zsets } = this.#target.store;
    const host = this.#host;
    const { buf, at, size } = member;
    if (this.#ref === NONE) this.#ref = zsets.create(host, this.#key, size, this.#expected);
    else if (!Number.isNaN(zsets.find(this.#ref, buf, at, size))) return false;
    this.#ref = zsets.insert(host, this.#ref, score, member);
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
      this.#addBlob(TYPE_SET, ENCODING_INTSET, blob);
      return;
    }
    this.#expected = 1;
    const width = intsetWidth(buf, at);
    for (let i = 0; i < count; i++) {
      const digits = Buffer.from(String(intsetGet(buf, at, width, i)));
      this.#member(digits, 0, digits.length);
    }
  }

  protected override addStream(): Ref {
    const first = this.streams.create();
    const words = { first, second: 0 };
    this.#ref = this.#host.addLarge(this.#key, TYPE_STREAM, ENCODING_STREAM, words);
    return first;
  }

  protected override get streams(): Streams {
    return this.#target.store.streams;
  }

  #addBlob(type: number, encoding: number, blob: Bytes): void {
    this.#ref = this.#host.addBlob(this.#key, type, encoding, blob);
  }

  #turnTo(db: Database): void {
    this.flush();
    this.#db = db;
    this.#aside = new AsideHost(db);
    if (this.#isBulk) this.#intake = new KeyIntake(db.store);
  }

  #noteDuplicate(key: Buffer): void {
    this.#duplicate = { key, dbIndex: this.#target.index };
  }

  get #target(): Database {
    invariant(this.#db !== undefined, 'a value is loaded into a database');
    return this.#db;
  }

  get #host(): AsideHost {
    invariant(this.#aside !== undefined, 'a value is loaded into a database');
    return this.#aside;
  }

  #member(buf: Buffer, at: number, size: number): boolean {
    const { sets } = this.#target.store;
    const host = this.#host;
    if (this.#ref === NONE) {
      this.#ref = sets.create(host, this.#key, buf, at, size);
      sets.reserve(this.#ref, this.#expected);
    }
    this.#ref = sets.add(host, this.#ref, buf, at, size);
    return sets.isChanged;
  }

  #appendRun(blob: Bytes): void {
    const { lists } = this.#target.store;
    const host = this.#host;
    if (this.#ref === NONE) this.#ref = lists.createOf(host, this.#key, blob);
    else this.#ref = lists.appendOf(host, this.#ref, blob);
  }

  #wholeHash(blob: Bytes): void {
    const db = this.#target;
    const { buf, at } = blob;
    if (listpackCount(buf, at) / 2 <= db.limits['hash-max-listpack-entries']) {
      this.#addBlob(TYPE_HASH, ENCODING_LISTPACK, blob);
      return;
    }
    this.#expected = listpackCount(buf, at) / 2;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = this.#value.read(buf, this.#name.read(buf, pos));
      this.field(asBytes(this.#name), asBytes(this.#value));
    }
  }

  #wholeZset(blob: Bytes): void {
    const db = this.#target;
    const { buf, at } = blob;
    if (listpackCount(buf, at) / 2 <= db.limits['zset-max-listpack-entries']) {
      this.#addBlob(TYPE_ZSET, ENCODING_LISTPACK, blob);
      return;
    }
    this.#expected = listpackCount(buf, at) / 2;
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
