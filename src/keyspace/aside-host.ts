/**
 * Where a load builds a value part by part: its entry is under no key until it is whole. So nobody sees half a value, and
 * nothing is looked up in the key index meanwhile.
 */
import type { Ref } from './arena.ts';
import { type Database, NO_EXPIRY } from './database.ts';
import { type BytesView, type Entries, entryBytes } from './entry.ts';
import type { Words } from './large-values.ts';
import type { EncodingLimits, ValueHost } from './value-host.ts';

/** Entries of one database, of one expiry time: a unix time in milliseconds or NO_EXPIRY. */
export class AsideHost implements ValueHost {
  readonly #db: Database;
  expiry: number = NO_EXPIRY;

  constructor(db: Database) {
    this.#db = db;
  }

  get entries(): Entries {
    return this.#db.entries;
  }

  get limits(): EncodingLimits {
    return this.#db.limits;
  }

  get plainElementBytes(): number {
    return this.#db.plainElementBytes;
  }

  get store(): ValueHost['store'] {
    return this.#db.store;
  }

  addBlob(key: BytesView, type: number, encoding: number, blob: BytesView): Ref {
    return this.#db.createBlob(key, type, encoding, blob, this.expiry);
  }

  addLarge(key: BytesView, type: number, encoding: number, words: Readonly<Words>): Ref {
    return this.#db.createLarge(key, { type, encoding, words, expiry: this.expiry });
  }

  makeLarge(ref: Ref, encoding: number, words: Readonly<Words>): Ref {
    const { entries } = this;
    const { arena } = entries;
    const type = entries.type(ref);
    const to = this.addLarge(entries.key(ref), type, encoding, words);
    if (entries.isOut(ref)) arena.free(entries.outBlock(ref));
    arena.free(ref);
    return to;
  }

  relocate(ref: Ref, sectionBytes: number, hasExpiry: boolean, slack: number = 0): Ref {
    const { entries } = this;
    const { arena } = entries;
    const key = entries.key(ref);
    if (entryBytes(key.size, sectionBytes, hasExpiry) <= arena.capacity(ref)) return ref;
    const to = entries.create(key, sectionBytes + slack, hasExpiry);
    entries.copyRest(ref, to);
    arena.free(ref);
    return to;
  }
}
