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
import { FewMembers } from './few-members.ts';
import { type BytesView, ENCODING_LISTPACK, ENCODING_SKIPLIST, TYPE_ZSET } from './entry.ts';
import type { Words } from './large-values.ts';
import type { SortedSets } from './zsets.ts';

/** Room of a result that is no more, for the next. */
const SPARE: FewMembers[] = [];

/** One sorted set in the making; ends with `store` or `discard`. */
export class ZsetResult {
  readonly #db: Database;
  readonly #zsets: SortedSets;
  /** The members while they are few. */
  #few: FewMembers | undefined = SPARE.pop() ?? new FewMembers();
  /** Then they are in a table and a tree. */
  #words: Words = { first: NONE, second: NONE };
  #longestMember = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#zsets = db.store.zsets;
  }

  get size(): number {
    return this.#few?.count ?? this.#zsets.large.size(this.#words.first);
  }

  /** Score of a member, NaN when it is not there. */
  scoreOf(member: BytesView): number {
    const few = this.#few;
    if (few !== undefined) {
      const place = few.find(member);
      return place < 0 ? Number.NaN : few.score(place);
    }
    const { large } = this.#zsets;
    const element = large.find(this.#words.first, member.buf, member.at, member.size);
    return element === NONE ? Number.NaN : large.score(element);
  }

  /** Adds a member that is not there. */
  add(score: number, member: BytesView): void {
    if (member.size > this.#longestMember) this.#longestMember = member.size;
    if (this.#few?.hasRoom(member.size) === true) return this.#few.add(score, member);
    this.#spread();
    const words = this.#words;
    words.second = this.#zsets.large.insert(words.first, words.second, score, member);
  }

  /** Adds a member, or gives it this score. */
  put(score: number, member: BytesView): void {
    const few = this.#few;
    if (few !== undefined) {
      const place = few.find(member);
      return place < 0 ? this.add(score, member) : few.setScore(place, score);
    }
    const { large } = this.#zsets;
    const words = this.#words;
    const element = large.find(words.first, member.buf, member.at, member.size);
    if (element === NONE) return this.add(score, member);
    if (Object.is(large.score(element), score)) return;
    words.second = large.setScore(words.second, element, score);
  }

  /** Visits the members in order. */
  forEach(visit: (member: BytesView, score: number) => void): void {
    if (this.#few !== undefined) return this.#few.forEach(visit);
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
    if (isLarge) {
      this.#spread();
      return this.#db.addLarge(key, TYPE_ZSET, ENCODING_SKIPLIST, this.#words);
    }
    const ref = this.#db.addBlob(key, TYPE_ZSET, ENCODING_LISTPACK, this.#packed());
    this.discard();
    return ref;
  }

  discard(): void {
    if (this.#few === undefined) {
      this.#db.store.rubbish.add(TYPE_ZSET, this.#words, this.#zsets.large);
    } else this.#giveBack(this.#few);
  }

  /** The members are few no more. */
  #spread(): void {
    const few = this.#few;
    if (few === undefined) return;
    const { large } = this.#zsets;
    const words = large.create();
    few.forEach((member, score) => {
      words.second = large.insert(words.first, words.second, score, member);
    });
    this.#words = words;
    this.#giveBack(few);
  }

  #giveBack(few: FewMembers): void {
    few.clear();
    this.#few = undefined;
    if (SPARE.length === 0) SPARE.push(few);
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
