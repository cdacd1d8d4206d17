/**
 * One database: keys to entries, with lazy and active expiry, use counting, change hooks and the
 * snapshot barrier. Keys come as (buf, at, size), always in a Buffer (one class of array keeps the
 * hot paths fast). A ref stays valid while other entries change; calls that change its own entry
 * return the ref it has from then on.
 */
import { NOT_INTEGER, type Rng, keySlot, parseInt64 } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import {
  type BytesView,
  EMBSTR_BYTES_MAX,
  ENCODING_EMBSTR,
  ENCODING_RAW,
  TYPE_STREAM,
  WORDS_BYTES,
  entryBytes,
  stringSectionBytes,
} from './entry.ts';
import type { Words } from './large-values.ts';
import { DatabaseReader } from './reader.ts';
import type { KeyspaceState } from './state.ts';
import { HASH_END } from './table.ts';
import type { EncodingLimits } from './value-host.ts';

/** Flags of `lookup`, to be added up. A read counts as hit or miss and as a use. */
export const LOOKUP_READ = 0;
/** For a command that may write: neither hit nor miss. */
export const LOOKUP_WRITE = 1;
/** Not a use: LRU and LFU stay as they are. */
export const LOOKUP_NO_TOUCH = 2;
/** Neither hit nor miss. */
export const LOOKUP_NO_STATS = 4;

/** The key shall have no expiry time. */
export const NO_EXPIRY = -1;
/** The key shall keep the expiry time it has. */
export const KEEP_EXPIRY = -2;

/** Longest text that can be a 64-bit integer. */
const INT_TEXT_MAX = 20;
const INT_SECTION_BYTES = 8;
/** Tries to find a random key that has not expired. Source: 7.0 db.c, dbRandomKey(). */
const RANDOM_TRIES = 100;
const STREAM_BIT: number = 1 << TYPE_STREAM;

/** What a large value is; `expiry` is a unix time in milliseconds or NO_EXPIRY. */
export interface LargeValueFacts {
  readonly type: number;
  readonly encoding: number;
  readonly words: Readonly<Words>;
  readonly expiry: number;
}

/** A database as commands see and change it. */
export class Database extends DatabaseReader {
  readonly #keyspace: KeyspaceState;
  readonly #key: BytesView = { buf: new Uint8Array(0), at: 0, size: 0 };

  constructor(keyspace: KeyspaceState, index: number) {
    super(index, keyspace.createStore(), keyspace);
    this.#keyspace = keyspace;
  }

  /** The entry of a key as commands see it, or NONE; `flags` are LOOKUP_ values. */
  lookup(buf: Uint8Array, at: number, size: number, flags: number): Ref {
    const keyspace = this.#keyspace;
    let ref = this.find(buf, at, size);
    if (ref !== NONE && this.store.entries.hasExpiry(ref) && this.expireIfDue(ref)) ref = NONE;
    if (ref === NONE) {
      if ((flags & (LOOKUP_WRITE | LOOKUP_NO_STATS)) === 0) keyspace.misses++;
      return NONE;
    }
    if ((flags & LOOKUP_NO_TOUCH) === 0) this.#use(ref);
    if ((flags & (LOOKUP_WRITE | LOOKUP_NO_STATS)) === 0) keyspace.hits++;
    return ref;
  }

  /**
   * Whether the key's time has come and it is to be taken for absent; removes it in expiry mode
   * 'delete'.
   */
  expireIfDue(ref: Ref): boolean {
    const keyspace = this.#keyspace;
    if (keyspace.expiryMode === 'ignore' || !this.isExpired(ref)) return false;
    if (keyspace.expiryMode !== 'delete') return true;
    if (keyspace.hooks.mayExpire?.(this.#tableOf(ref)) !== false) this.#expire(ref);
    return true;
  }

  /** Whether the key's time is over, whatever the expiry mode. */
  isExpired(ref: Ref): boolean {
    const expireAt = this.store.entries.expireAt(ref);
    return expireAt >= 0 && this.#keyspace.nowMs > expireAt;
  }

  /**
   * Sets a key to a string: of encoding int when it reads as one, else embstr to 44 bytes, else
   * raw. `expiry` is a unix time in milliseconds, NO_EXPIRY or KEEP_EXPIRY. The value is not a view
   * into this very key.
   */
  setString(
    buf: Uint8Array,
    at: number,
    size: number,
    value: BytesView,
    expiry: number = NO_EXPIRY,
  ): Ref {
    if (value.size <= INT_TEXT_MAX) {
      const number = parseInt64(value.buf, value.at, value.size);
      if (number !== NOT_INTEGER) return this.setInt(buf, at, size, number, expiry);
    }
    const ref = this.#place(buf, at, size, stringSectionBytes(value.size), expiry);
    const encoding = value.size <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW;
    this.store.entries.putString(ref, value, encoding);
    return ref;
  }

  /** Sets a key to a string of encoding raw, whatever it reads as. */
  setRaw(
    buf: Uint8Array,
    at: number,
    size: number,
    value: BytesView,
    expiry: number = NO_EXPIRY,
  ): Ref {
    const ref = this.#place(buf, at, size, stringSectionBytes(value.size), expiry);
    this.store.entries.putString(ref, value, ENCODING_RAW);
    return ref;
  }

  /** Sets a key to a signed 64-bit integer. */
  setInt(
    buf: Uint8Array,
    at: number,
    size: number,
    value: number | bigint,
    expiry: number = NO_EXPIRY,
  ): Ref {
    const ref = this.#place(buf, at, size, INT_SECTION_BYTES, expiry);
    this.store.entries.putInt(ref, value);
    return ref;
  }

  /** Makes the value of an existing string an integer; its expiry time stays. */
  overwriteInt(ref: Ref, value: number | bigint): Ref {
    const entries = this.store.entries;
    this.store.beforeChange(ref);
    let to = ref;
    if (!entries.isInt(ref)) {
      this.store.freeValue(ref);
      const hash = entries.hashOf(ref);
      to = this.#refit(ref, hash, this.#tableOf(ref), INT_SECTION_BYTES, entries.hasExpiry(ref));
    }
    entries.putInt(to, value);
    this.changed(to);
    return to;
  }

  delete(ref: Ref): void {
    this.store.beforeChange(ref);
    this.changed(ref);
    this.#remove(ref);
  }

  /** Deletes an entry, whose last change was counted already (its container is empty). */
  drop(ref: Ref): void {
    this.store.beforeChange(ref);
    this.#touched(ref);
    this.#remove(ref);
  }

  /**
   * A new key, which must not be there yet, whose value is the bytes of a blob (a listpack or an
   * intset). Not counted as a change: the command that fills it counts.
   */
  addBlob(key: BytesView, type: number, encoding: number, blob: BytesView): Ref {
    const ref = this.createBlob(key, type, encoding, blob, NO_EXPIRY);
    this.link(ref);
    this.signal(ref);
    return ref;
  }

  /**
   * An entry whose value is the bytes of a blob, which is under no key before `link`. `expiry` is a
   * unix time in milliseconds or NO_EXPIRY.
   */
  createBlob(key: BytesView, type: number, encoding: number, blob: BytesView, expiry: number): Ref {
    const ref = this.#create(key, stringSectionBytes(blob.size), expiry);
    const { entries } = this.store;
    entries.putString(ref, blob, encoding);
    entries.setKind(ref, type, encoding);
    return ref;
  }

  /**
   * An entry whose value is a string with the encoding that SET would give it, which is under no
   * key before `link`. `expiry` is a unix time in milliseconds or NO_EXPIRY.
   */
  createString(key: BytesView, value: BytesView, expiry: number): Ref {
    const isShort = value.size <= INT_TEXT_MAX;
    const int = isShort ? parseInt64(value.buf, value.at, value.size) : NOT_INTEGER;
    const section = int === NOT_INTEGER ? stringSectionBytes(value.size) : INT_SECTION_BYTES;
    const ref = this.#create(key, section, expiry);
    const { entries } = this.store;
    if (int !== NOT_INTEGER) entries.putInt(ref, int);
    else {
      const encoding = value.size <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW;
      entries.putString(ref, value, encoding);
    }
    return ref;
  }

  /** A new key, which must not be there yet, for a large value. Not counted as a change. */
  addLarge(key: BytesView, type: number, encoding: number, words: Readonly<Words>): Ref {
    const ref = this.createLarge(key, { type, encoding, words, expiry: NO_EXPIRY });
    this.link(ref);
    this.signal(ref);
    return ref;
  }

  /** An entry for a large value, which is under no key before `link`. */
  createLarge(key: BytesView, { type, encoding, words, expiry }: LargeValueFacts): Ref {
    const ref = this.#create(key, WORDS_BYTES, expiry);
    this.#putWords(ref, type, encoding, words);
    return ref;
  }

  /** Puts a large value in the place of an entry's blob, which is freed. Not counted as a change. */
  makeLarge(ref: Ref, encoding: number, words: Readonly<Words>): Ref {
    const { entries } = this.store;
    const type = entries.type(ref);
    if (entries.isOut(ref)) {
      this.store.arena.free(entries.outBlock(ref));
      this.#putWords(ref, type, encoding, words);
      return ref;
    }
    const hash = entries.hashOf(ref);
    const to = this.#refit(ref, hash, this.#tableOf(ref), WORDS_BYTES, entries.hasExpiry(ref));
    this.#putWords(to, type, encoding, words);
    return to;
  }

  /** When small containers become large. */
  get limits(): EncodingLimits {
    return this.#keyspace.limits;
  }

  get plainElementBytes(): number {
    return this.#keyspace.plainElementBytes;
  }

  /** Makes room for about so many keys, so that loading them need not grow the tables step by step. */
  reserve(keys: number, expiring: number): void {
    const { store } = this;
    // How many go to which slot nobody says.
    if (!store.isPerSlot) store.keys.reserve(0, keys);
    store.expires.reserve(0, expiring);
  }

  /** Removes a key if it is there, expired or not; says whether it was. */
  deleteKey(buf: Uint8Array, at: number, size: number): boolean {
    const ref = this.find(buf, at, size);
    if (ref !== NONE) this.delete(ref);
    return ref !== NONE;
  }

  /**
   * Takes an entry out of the database without freeing it, so that another value can be built in
   * its place; `link` or `freeAside` follows in the same turn.
   */
  setAside(ref: Ref): void {
    this.store.beforeChange(ref);
    this.#unlink(ref);
  }

  /** Puts an entry that was set aside, or never had a place, under its key, which is not there. */
  link(ref: Ref): void {
    const { entries, keys, expires } = this.store;
    const hash = entries.hashOf(ref);
    keys.insert(this.#tableOf(ref), hash, ref);
    if (entries.hasExpiry(ref)) expires.insert(0, hash, ref);
  }

  /** Ends `setAside`: something else took the entry's place. */
  freeAside(ref: Ref): void {
    this.store.freeValue(ref);
    this.store.arena.free(ref);
  }

  /**
   * Moves an entry, with its expiry time, to another key of this database, whose old entry goes.
   * The keys differ.
   */
  rename(ref: Ref, buf: Uint8Array, at: number, size: number): Ref {
    const existing = this.find(buf, at, size);
    if (existing !== NONE) {
      this.store.beforeChange(existing);
      this.#remove(existing);
    }
    const entries = this.store.entries;
    this.store.beforeChange(ref);
    this.changed(ref);
    const key = this.#keyView(buf, at, size);
    const to = entries.create(key, entries.sectionBytes(ref), entries.hasExpiry(ref));
    entries.copyRest(ref, to);
    this.link(to);
    this.signal(to);
    this.#signalGone(ref);
    this.#unlink(ref);
    this.store.arena.free(ref);
    this.#touched(to);
    return to;
  }

  /**
   * Copies a value with its expiry time to a key of `target`, which may be this database if the
   * key differs. What the key held is lost.
   */
  copyTo(ref: Ref, target: Database, buf: Uint8Array, at: number, size: number): Ref {
    const entries = this.store.entries;
    const expireAt = entries.expireAt(ref);
    if (entries.isInt(ref)) return target.setInt(buf, at, size, entries.intValue(ref), expireAt);
    const type = entries.type(ref);
    const encoding = entries.encoding(ref);
    if (entries.isLarge(ref)) {
      const words: Words = { first: 0, second: 0 };
      this.store.large(type).copy(this.store.words(ref), target.store, words);
      const to = target.#place(buf, at, size, WORDS_BYTES, expireAt);
      target.#putWords(to, type, encoding, words);
      target.signal(to);
      return to;
    }
    const view = entries.stringView(ref);
    const value: BytesView = { buf: view.buf, at: view.at, size: view.size };
    const to = target.setRaw(buf, at, size, value, expireAt);
    target.store.entries.setKind(to, type, encoding);
    target.signal(to);
    return to;
  }

  /** Moves an entry to the same key of another database, which must not have it. */
  moveTo(ref: Ref, target: Database): void {
    const key = this.store.entries.key(ref);
    this.copyTo(ref, target, key.buf, key.at, key.size);
    this.#keyspace.dirty--;
    this.delete(ref);
  }

  /** Gives an entry an expiry time (unix, milliseconds), clamped to [0, EXPIRE_AT_MAX]. */
  setExpire(ref: Ref, expireAtUnixMs: number): Ref {
    const entries = this.store.entries;
    this.store.beforeChange(ref);
    let to = ref;
    if (!entries.hasExpiry(ref)) {
      to = this.relocate(ref, entries.sectionBytes(ref), true);
      this.#indexExpiry(to);
    }
    this.#putExpiry(to, expireAtUnixMs);
    this.changed(to);
    return to;
  }

  /** Takes an entry's expiry time away. */
  persist(ref: Ref): Ref {
    const entries = this.store.entries;
    if (!entries.hasExpiry(ref)) return ref;
    this.store.beforeChange(ref);
    this.store.expires.remove(0, entries.hashOf(ref), ref);
    const to = this.relocate(ref, entries.sectionBytes(ref), false);
    this.changed(to);
    return to;
  }

  /** Removes every key and gives the memory back; returns how many there were. */
  flush(): number {
    const count = this.size;
    const old = this.store;
    // Most databases never held anything.
    if (old.arena.reservedBytes > 0) {
      this.store = this.#keyspace.createStore();
      this.#keyspace.retireStore(old);
    }
    this.#keyspace.dirty += count;
    if (this.#keyspace.isObserved) this.#keyspace.hooks.replaced(this.index);
    return count;
  }

  /**
   * A random key in sight that has not expired, as far as a bounded number of tries finds one; NONE when
   * there is none.
   */
  randomKey(rng: Rng): Ref {
    for (let tries = 0; this.shownSize > 0; tries++) {
      const ref = this.sampleShown(rng);
      if (tries >= RANDOM_TRIES || !this.expireIfDue(ref)) return ref;
    }
    return NONE;
  }

  /** Deletes every key of a slot; returns how many there were. */
  flushSlot(slot: number): number {
    const count = this.countInSlot(slot);
    const visit = (ref: Ref): void => this.delete(ref);
    for (let at = 0; at < HASH_END;) at = this.store.keys.scan(slot, at, 1000, visit);
    return count;
  }

  /**
   * Makes an entry's block fit a value section of `sectionBytes`, no fewer than it has; the indexes
   * follow. If the entry has to move, it gets `slack` bytes more.
   */
  relocate(ref: Ref, sectionBytes: number, hasExpiry: boolean, slack: number = 0): Ref {
    const { entries, arena, keys, expires } = this.store;
    const key = entries.key(ref);
    const isSameShape = hasExpiry === entries.hasExpiry(ref);
    const need = entryBytes(key.size, sectionBytes, hasExpiry);
    if (isSameShape && fits(need, arena.capacity(ref))) return ref;
    const to = entries.create(key, sectionBytes + slack, hasExpiry);
    entries.copyRest(ref, to);
    const hash = entries.hashOf(to);
    keys.replace(this.#tableOf(to), hash, ref, to);
    this.store.moved(ref, to);
    if (isSameShape && hasExpiry) expires.replace(0, hash, ref, to);
    arena.free(ref);
    return to;
  }

  /** Counts changes to an entry and tells who watches; after them, or before the entry goes. */
  changed(ref: Ref, count: number = 1): void {
    this.#keyspace.dirty += count;
    this.#touched(ref);
  }

  /** On a replica: removes a key whose time has come if one of its own clients set that time. */
  expireOwnIfDue(ref: Ref): void {
    if (this.store.entries.hasOwnExpiry(ref) && this.isExpired(ref)) this.#expire(ref);
  }

  /**
   * Tells clients that wait for a key of this type that it is worth a look: it is new, or it got
   * what they may wait for (XADD). New keys are signalled by the calls that make them.
   */
  signal(ref: Ref): void {
    const { awaitedTypes, hooks } = this.#keyspace;
    if (awaitedTypes === 0) return;
    const { entries } = this.store;
    if (((awaitedTypes >>> entries.type(ref)) & 1) === 0) return;
    const key = entries.key(ref);
    hooks.ready?.(this.index, key.buf, key.at, key.size);
  }

  /** Removes a key whose time has come, and reports it. */
  #expire(ref: Ref): void {
    const keyspace = this.#keyspace;
    this.store.beforeChange(ref);
    const key = this.store.entries.key(ref);
    keyspace.hooks.expired(this.index, key.buf, key.at, key.size);
    this.#touched(ref);
    keyspace.expiredCount++;
    this.#remove(ref);
  }

  #use(ref: Ref): void {
    const entries = this.store.entries;
    const recency = this.#keyspace.recency;
    const bits = entries.lru(ref);
    if (recency.kind === 'lru' && bits === recency.clock) return;
    entries.setLru(ref, recency.touched(bits));
  }

  /**
   * An entry for the key with room for a value section, its old value gone, its expiry as asked.
   */
  #place(buf: Uint8Array, at: number, size: number, sectionBytes: number, expiry: number): Ref {
    const store = this.store;
    const { entries, keys } = store;
    const hash = store.hash.hash(buf, at, size);
    const table = store.isPerSlot ? keySlot(buf, at, size) : 0;
    let old = keys.find(table, hash, buf, at, size);
    if (old !== NONE && entries.hasExpiry(old) && this.#keyspace.expiryMode === 'delete') {
      // A key whose time is over goes as an expired one, whatever takes its place.
      if (this.expireIfDue(old)) old = NONE;
    }
    let ref = old;
    if (old === NONE) {
      ref = entries.create(this.#keyView(buf, at, size), sectionBytes, expiry >= 0);
      keys.insert(table, hash, ref);
      entries.setLru(ref, this.#keyspace.recency.fresh());
      if (expiry >= 0) store.expires.insert(0, hash, ref);
    } else {
      store.beforeChange(old);
      this.#signalGone(old);
      store.freeValue(old);
      const hadExpiry = entries.hasExpiry(old);
      const hasExpiry = expiry === KEEP_EXPIRY ? hadExpiry : expiry >= 0;
      if (hadExpiry && !hasExpiry) store.expires.remove(0, hash, old);
      ref = this.#refit(old, hash, table, sectionBytes, hasExpiry);
      if (!hadExpiry && hasExpiry) store.expires.insert(0, hash, ref);
      const recency = this.#keyspace.recency;
      // A new value starts a new idle time, but inherits how often the key was used.
      if (recency.kind === 'lru') entries.setLru(ref, recency.clock);
    }
    if (expiry >= 0) this.#putExpiry(ref, expiry);
    this.#keyspace.dirty++;
    if (this.#keyspace.isWatched) this.#keyspace.hooks.touched(this.index, buf, at, size);
    return ref;
  }

  /** Like `relocate`, but the value is lost. */
  #refit(old: Ref, hash: number, table: number, sectionBytes: number, hasExpiry: boolean): Ref {
    const { entries, arena, keys, expires } = this.store;
    const key = entries.key(old);
    const isSameShape = hasExpiry === entries.hasExpiry(old);
    const need = entryBytes(key.size, sectionBytes, hasExpiry);
    if (isSameShape && fits(need, arena.capacity(old))) return old;
    const ref = entries.create(key, sectionBytes, hasExpiry);
    entries.setLru(ref, entries.lru(old));
    if (isSameShape && hasExpiry) {
      entries.putExpiry(ref, entries.expireAt(old), entries.hasOwnExpiry(old));
      expires.replace(0, hash, old, ref);
    }
    keys.replace(table, hash, old, ref);
    this.store.moved(old, ref);
    arena.free(old);
    return ref;
  }

  /** An entry without value, under no key. */
  #create(key: BytesView, sectionBytes: number, expiry: number): Ref {
    const { entries } = this.store;
    const ref = entries.create(key, sectionBytes, expiry >= 0);
    entries.setLru(ref, this.#keyspace.recency.fresh());
    if (expiry >= 0) this.#putExpiry(ref, expiry);
    return ref;
  }

  #putWords(ref: Ref, type: number, encoding: number, words: Readonly<Words>): void {
    const { entries } = this.store;
    entries.setKind(ref, type, encoding);
    entries.putFirstWord(ref, words.first);
    entries.putSecondWord(ref, words.second);
  }

  #putExpiry(ref: Ref, expireAtUnixMs: number): void {
    const isOwn = this.#keyspace.expiryMode === 'hide';
    this.store.entries.putExpiry(ref, expireAtUnixMs, isOwn);
    if (isOwn) this.#keyspace.hasOwnExpiries = true;
  }

  #indexExpiry(ref: Ref): void {
    this.store.expires.insert(0, this.store.entries.hashOf(ref), ref);
  }

  #remove(ref: Ref): void {
    this.#signalGone(ref);
    this.#unlink(ref);
    this.store.freeValue(ref);
    this.store.arena.free(ref);
  }

  /** Readers of a consumer group wait for nothing once the stream is gone. */
  #signalGone(ref: Ref): void {
    if ((this.#keyspace.awaitedTypes & STREAM_BIT) !== 0) {
      if (this.store.entries.type(ref) === TYPE_STREAM) this.signal(ref);
    }
  }

  #unlink(ref: Ref): void {
    const { entries, keys, expires } = this.store;
    const hash = entries.hashOf(ref);
    if (entries.hasExpiry(ref)) expires.remove(0, hash, ref);
    keys.remove(this.#tableOf(ref), hash, ref);
    this.store.moved(ref, NONE);
  }

  #tableOf(ref: Ref): number {
    if (!this.store.isPerSlot) return 0;
    const key = this.store.entries.key(ref);
    return keySlot(key.buf, key.at, key.size);
  }

  #touched(ref: Ref): void {
    if (!this.#keyspace.isWatched) return;
    const key = this.store.entries.key(ref);
    this.#keyspace.hooks.touched(this.index, key.buf, key.at, key.size);
  }

  #keyView(buf: Uint8Array, at: number, size: number): BytesView {
    const key = this.#key;
    key.buf = buf;
    key.at = at;
    key.size = size;
    return key;
  }
}

/** Whether a block is large enough and not so large that it wastes more than half. */
function fits(need: number, capacity: number): boolean {
  return need <= capacity && need * 2 >= capacity;
}
