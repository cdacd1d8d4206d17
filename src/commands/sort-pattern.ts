/** Patterns of BY and GET: the key, or the field of a hash, that belongs to an element. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, LOOKUP_READ, NONE, TYPE_HASH, TYPE_STRING } from '../keyspace/index.ts';
import type { Context } from './context.ts';

const STAR = 0x2a;
const ARROW = '->';

/** One pattern, cut into what is before and behind the element, and the field. */
export class SortPattern {
  readonly #prefix: Buffer;
  readonly #suffix: Buffer;
  readonly #field: Buffer | undefined;
  /** `#`: the element itself. */
  readonly isElement: boolean;
  readonly #hasPlace: boolean;

  constructor(pattern: Buffer) {
    this.isElement = pattern.length === 1 && pattern[0] === 0x23;
    const star = pattern.indexOf(STAR);
    this.#hasPlace = star >= 0;
    const arrow = star < 0 ? -1 : pattern.indexOf(ARROW, star + 1);
    const hasField = arrow >= 0 && arrow + ARROW.length < pattern.length;
    this.#prefix = pattern.subarray(0, Math.max(0, star));
    this.#suffix = pattern.subarray(star + 1, hasField ? arrow : pattern.length);
    this.#field = hasField ? pattern.subarray(arrow + ARROW.length) : undefined;
  }

  /** What the pattern leads to from an element, in a view that is reused; undefined for nothing. */
  find(context: Context, element: BytesView): BytesView | undefined {
    if (this.isElement) return element;
    if (!this.#hasPlace) return undefined;
    const { buf, at, size } = element;
    const key = Buffer.concat([this.#prefix, buf.subarray(at, at + size), this.#suffix]);
    const { db } = context;
    const ref = db.lookup(key, 0, key.length, LOOKUP_READ);
    if (ref === NONE) {
      context.notify(KEYSPACE_EVENT.m, 'keymiss', key, 0, key.length);
      return undefined;
    }
    const field = this.#field;
    const { entries } = db;
    if (field === undefined) {
      return entries.type(ref) === TYPE_STRING ? entries.stringView(ref) : undefined;
    }
    if (entries.type(ref) !== TYPE_HASH) return undefined;
    return db.store.hashes.get(ref, field, 0, field.length);
  }
}
