/**
 * A few members with their scores, for results that are made, answered and forgotten: in room that one result after the
 * other uses, where a table and a tree of their own would take most of the time.
 */
import { compareBytes, copyBytes } from '../base/index.ts';
import type { BytesView } from './entry.ts';

const MEMBERS_MAX = 32;
const BYTES_MAX = 4096;

export class FewMembers {
  count = 0;
  readonly #buf: Buffer = Buffer.allocUnsafeSlow(BYTES_MAX);
  #end = 0;
  readonly #at: Int32Array = new Int32Array(MEMBERS_MAX);
  readonly #size: Int32Array = new Int32Array(MEMBERS_MAX);
  readonly #score: Float64Array = new Float64Array(MEMBERS_MAX);
  /** Places in the order of a walk. */
  readonly #order: Int32Array = new Int32Array(MEMBERS_MAX);
  readonly #view: { buf: Buffer; at: number; size: number } = { buf: this.#buf, at: 0, size: 0 };

  clear(): void {
    this.count = 0;
    this.#end = 0;
  }

  /** Whether a member of `size` bytes can be added. */
  hasRoom(size: number): boolean {
    return this.count < MEMBERS_MAX && this.#end + size <= BYTES_MAX;
  }

  /** Place of a member; -1 when it is not there. */
  find({ buf, at, size }: BytesView): number {
    const own = this.#buf;
    for (let place = 0; place < this.count; place++) {
      if (this.#size[place] !== size) continue;
      const from = this.#at[place]!;
      let i = 0;
      while (i < size && own[from + i] === buf[at + i]) i++;
      if (i === size) return place;
    }
    return -1;
  }

  score(place: number): number {
    return this.#score[place]!;
  }

  setScore(place: number, score: number): void {
    this.#score[place] = score;
  }

  /** Adds a member that is not there and that there is room for. */
  add(score: number, { buf, at, size }: BytesView): void {
    const place = this.count++;
    copyBytes(buf, at, this.#buf, this.#end, size);
    this.#at[place] = this.#end;
    this.#size[place] = size;
    this.#score[place] = score;
    this.#end += size;
  }

  /** Visits the members by their scores, those of one score by their bytes. The view is valid during the call. */
  forEach(visit: (member: BytesView, score: number) => void): void {
    const order = this.#order;
    for (let i = 0; i < this.count; i++) {
      let to = i;
      for (; to > 0 && this.#isBehind(order[to - 1]!, i); to--) order[to] = order[to - 1]!;
      order[to] = i;
    }
    const view = this.#view;
    for (let i = 0; i < this.count; i++) {
      const place = order[i]!;
      view.at = this.#at[place]!;
      view.size = this.#size[place]!;
      visit(view, this.#score[place]!);
    }
  }

  #isBehind(a: number, b: number): boolean {
    const scoreA = this.#score[a]!;
    const scoreB = this.#score[b]!;
    if (scoreA !== scoreB) return scoreA > scoreB;
    const { buf } = this.#view;
    return compareBytes(buf, this.#at[a]!, this.#size[a]!, buf, this.#at[b]!, this.#size[b]!) > 0;
  }
}
