/**
 * A sorted set that is being made beside the keys, such as the union of others, and then becomes
 * the value of a key or goes away.
 */
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  writeListpackHeader,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { Database } from './database.ts';
import { type BytesView, ENCODING_LISTPACK, ENCODING_SKIPLIST, TYPE_ZSET } from './entry.ts';
import type { Words } from './large-values.ts';
import type { SortedSets } from './zsets.ts';

/** One sorted set in the making; ends with `store` or `discard`. */
export class ZsetResult {
  readonly #db: Database;
  readonly #zsets: SortedSets;
  readonly #words: Words;
  #longestMember = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#zsets = db.store.zsets;
    this.#words = this.#zsets.large.create();
  }

  get size(): number {
    return this.#zsets.large.size(this.#words.first);
  }

  /** Score of a member, NaN when it is not there. */
  scoreOf({ buf, at, size }: BytesView): number {
    const { large } = this.#zsets;
    const element = large.find(this.#words.first, buf, at, size);
    return element === NONE ? Number.NaN : large.score(element);
  }

  /** Adds a member that is not there. */
  add(score: number, member: BytesView): void {
    const words = this.#words;
    if (member.size > this.#longestMember) this.#longestMember = member.size;
    words.second = this.#zsets.large.insert(words.first, words.second, score, member);
  }

  /** Adds a member, or gives it this score. */
  put(score: number, member: BytesView): void {
    const { large } = this.#zsets;
    const words = this.#words;
    const element = large.find(words.first, member.buf, member.at, member.size);
    if (element === NONE) return this.add(score, member);
    if (Object.is(large.score(element), score)) return;
    words.second = large.setScore(words.second, element, score);
  }

  /** Takes a member out, if it is there. */
  remove({ buf, at, size }: BytesView): void {
    const { large } = this.#zsets;
    const words = this.#words;
    const element = large.find(words.first, buf, at, size);
    if (element !== NONE) words.second = large.remove(words.first, words.second, element);
  }

  /** Visits the members in order. */
  forEach(visit: (member: BytesView, score: number) => void): void {
    const { cursor } = this.#zsets;
    cursor.seekTree(this.#words.second, 0);
    for (; cursor.isHere; cursor.next()) visit(cursor, cursor.score);
  }

  /** Makes it, as it has members, the value of a key that is not there. Not counted as a change. */
  store(key: BytesView): Ref {
    const { limits } = this.#db;
    const isLarge =
      this.size > limits['zset-max-listpack-entries'] ||
      this.#longestMember > limits['zset-max-listpack-value'];
    if (isLarge) return this.#db.addLarge(key, TYPE_ZSET, ENCODING_SKIPLIST, this.#words);
    const ref = this.#db.addBlob(key, TYPE_ZSET, ENCODING_LISTPACK, this.#packed());
    this.discard();
    return ref;
  }

  discard(): void {
    this.#db.store.rubbish.add(TYPE_ZSET, this.#words, this.#zsets.large);
  }

  #packed(): BytesView {
    const { packed } = this.#zsets;
    let size = EMPTY_LISTPACK_BYTES;
    this.forEach((member, score) => {
      size += packed.pairBytes(score, member);
    });
    const buf = Buffer.allocUnsafe(size);
    let at = LISTPACK_HEADER_BYTES;
    this.forEach((member, score) => {
      at = packed.writePair(buf, at, score, member);
    });
    buf[at] = LISTPACK_END;
    writeListpackHeader(buf, 0, size, this.size * 2);
    return { buf, at: 0, size };
  }
}
