/**
 * The order of large sorted sets: by score, members of one score by their bytes. A member's element
 * has its score as a double in front of its name.
 */
import { compareBytes } from '../base/index.ts';
import { type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import type { Elements } from './elements.ts';
import type { TreeOrder } from './rank-reader.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Bytes of an element in front of its name. */
export const SCORE_BYTES = 8;

/** Compares a probe, which one of its methods sets, with elements. */
export class ScoreOrder implements TreeOrder {
  readonly #elements: Elements;
  readonly #scores: readonly Float64Array[];
  /** Whether scores count at all. */
  #isByScore = true;
  #score = 0;
  /** What the probe is to the members of its score: before (-1) or behind (1) them all, or one (0). */
  #side = 0;
  #buf: Uint8Array = NO_BYTES;
  #at = 0;
  #size = 0;

  constructor(elements: Elements) {
    this.#elements = elements;
    this.#scores = elements.arena.f64;
  }

  /** The probe is a member with its score. */
  setMember(score: number, buf: Uint8Array, at: number, size: number): void {
    this.setName(buf, at, size);
    this.#isByScore = true;
    this.#score = score;
  }

  /** The probe is a member; scores do not count, as among members that all have the same. */
  setName(buf: Uint8Array, at: number, size: number): void {
    this.#isByScore = false;
    this.#side = 0;
    this.#buf = buf;
    this.#at = at;
    this.#size = size;
  }

  /** The probe is a score, whose members are not before it, so that `lowerBound` does not count them. */
  setScore(score: number): void {
    this.#isByScore = true;
    this.#score = score;
    this.#side = -1;
  }

  /** The probe is the place behind the members of a score, so that `lowerBound` counts them. */
  setBehindScore(score: number): void {
    this.setScore(score);
    this.#side = 1;
  }

  compare(ref: Ref): number {
    if (this.#isByScore) {
      const score = this.#scores[ref >>> SLAB_SHIFT]![ref & UNIT_MASK]!;
      if (this.#score !== score) return this.#score < score ? -1 : 1;
      if (this.#side !== 0) return this.#side;
    }
    const name = this.#elements.name(ref);
    return compareBytes(this.#buf, this.#at, this.#size, name.buf, name.at, name.size);
  }
}
