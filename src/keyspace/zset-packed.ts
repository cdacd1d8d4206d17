/**
 * Small sorted sets: a listpack of member, score, member, score… in order. A score without fraction
 * is stored as an integer, any other as the text that `formatDouble` gives, as Redis has them.
 */
import { compareBytes, formatDouble, parseDouble } from '../base/index.ts';
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  ListpackReader,
  listpackCount,
  listpackFindPair,
  listpackInt,
  listpackNext,
  writeListpackHeader,
} from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import { spliceBlob } from './blob.ts';
import type { BytesView } from './entry.ts';
import type { ValueHost } from './value-host.ts';

/** Largest magnitude of a score that is stored as an integer. Source: 7.0 util.c, double2ll(). */
const INT_SCORE_MAX = 2 ** 62;
/** Listpacks do not grow beyond this. Source: 7.0 listpack.c, LISTPACK_MAX_SAFETY_LIMIT. */
const PACKED_BYTES_MAX = 2 ** 30;

/** Reads and changes listpacks of pairs; a reusable worker, which keeps nothing of one. */
export class PackedZset {
  /** An element's bytes once `readMember` read it. */
  readonly member: ListpackReader = new ListpackReader();
  readonly #score = new ListpackReader();
  readonly #element = new ListpackElement();
  readonly #scoreElement = new ListpackElement();
  #probe: Buffer = Buffer.alloc(128);

  /** An empty one. */
  empty(): BytesView {
    const buf = Buffer.alloc(EMPTY_LISTPACK_BYTES);
    writeListpackHeader(buf, 0, EMPTY_LISTPACK_BYTES, 0);
    buf[EMPTY_LISTPACK_BYTES - 1] = LISTPACK_END;
    return { buf, at: 0, size: EMPTY_LISTPACK_BYTES };
  }

  /** Number of members. */
  size(view: BytesView): number {
    return listpackCount(view.buf, view.at) >>> 1;
  }

  /** Position of a member, or NOWHERE. */
  find(view: BytesView, buf: Uint8Array, at: number, size: number): number {
    const element = this.#element;
    element.set(buf, at, size);
    if (element.bytes > this.#probe.length) this.#probe = Buffer.alloc(element.bytes * 2);
    const probe = this.#probe;
    element.write(probe, 0);
    return listpackFindPair(view.buf, view.at, probe, element.bytes);
  }

  /** Reads the member at `pos` into `member`; returns the position of its score. */
  readMember(buf: Uint8Array, pos: number): number {
    return this.member.read(buf, pos);
  }

  /** The score at `pos`. */
  scoreAt(buf: Uint8Array, pos: number): number {
    const int = listpackInt(buf, pos);
    if (int !== undefined) return Number(int);
    const score = this.#score;
    score.read(buf, pos);
    return parseDouble(score.buf, score.at, score.size);
  }

  /** Visits members and the texts of their scores. */
  forEachText(view: BytesView, visit: (member: BytesView, score: BytesView) => void): void {
    const { buf } = view;
    let pos = view.at + LISTPACK_HEADER_BYTES;
    while (buf[pos] !== LISTPACK_END) {
      pos = this.#score.read(buf, this.member.read(buf, pos));
      visit(this.member, this.#score);
    }
  }

  /** Position of the first pair behind a member with this score. */
  placeOf(view: BytesView, score: number, name: BytesView): number {
    const { buf } = view;
    let pos = view.at + LISTPACK_HEADER_BYTES;
    while (buf[pos] !== LISTPACK_END) {
      const scorePos = listpackNext(buf, pos);
      const other = this.scoreAt(buf, scorePos);
      if (other > score) break;
      if (other === score && this.compare(buf, pos, name) > 0) break;
      pos = listpackNext(buf, scorePos);
    }
    return pos;
  }

  /** Below 0 when the member at `pos` comes before `name`, 0 when it is it, above 0 behind it. */
  compare(buf: Uint8Array, pos: number, name: BytesView): number {
    const { member } = this;
    member.read(buf, pos);
    return compareBytes(member.buf, member.at, member.size, name.buf, name.at, name.size);
  }

  /** Whether a listpack can take one more member. */
  hasRoom(view: BytesView, size: number): boolean {
    return view.size + size <= PACKED_BYTES_MAX;
  }

  /** Adds a member that is not there; its bytes are not of this database. Returns the entry's ref. */
  insert(db: ValueHost, ref: Ref, score: number, name: BytesView): Ref {
    const view = db.entries.stringView(ref);
    const count = listpackCount(view.buf, view.at);
    const offset = this.placeOf(view, score, name) - view.at;
    const element = this.#element;
    element.set(name.buf, name.at, name.size);
    this.#setScore(score);
    const to = spliceBlob(db, ref, offset, 0, element.bytes + this.#scoreElement.bytes);
    const pack = db.entries.stringView(to);
    const scorePos = element.write(pack.buf, pack.at + offset);
    this.#scoreElement.write(pack.buf, scorePos);
    writeListpackHeader(pack.buf, pack.at, pack.size, count + 2);
    return to;
  }

  /** Takes out `count` members from `pos` on; returns the entry's ref. */
  remove(db: ValueHost, ref: Ref, pos: number, count: number): Ref {
    const view = db.entries.stringView(ref);
    const before = listpackCount(view.buf, view.at);
    let end = pos;
    for (let i = 0; i < 2 * count; i++) end = listpackNext(view.buf, end);
    const to = spliceBlob(db, ref, pos - view.at, end - pos, 0);
    const pack = db.entries.stringView(to);
    writeListpackHeader(pack.buf, pack.at, pack.size, before - 2 * count);
    return to;
  }

  /** Bytes that a pair takes. */
  pairBytes(score: number, name: BytesView): number {
    this.#element.set(name.buf, name.at, name.size);
    this.#setScore(score);
    return this.#element.bytes + this.#scoreElement.bytes;
  }

  /** Writes a pair and returns where what follows starts. */
  writePair(to: Uint8Array, at: number, score: number, name: BytesView): number {
    this.#element.set(name.buf, name.at, name.size);
    this.#setScore(score);
    return this.#scoreElement.write(to, this.#element.write(to, at));
  }

  #setScore(score: number): void {
    const element = this.#scoreElement;
    if (Number.isInteger(score) && score >= -INT_SCORE_MAX && score <= INT_SCORE_MAX) {
      // Minus 0 becomes 0 here, in Redis too.
      element.setInt(score + 0);
    } else {
      const text = Buffer.from(formatDouble(score), 'latin1');
      element.set(text, 0, text.length);
    }
  }
}
