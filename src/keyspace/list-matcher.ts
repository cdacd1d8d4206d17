/** Finds elements of listpacks that are equal to some bytes, whether they are stored as text or integer. */
import { DIGITS_MAX, NOT_INTEGER, parseInt64, sameBytes } from '../base/index.ts';
import { ListpackReader } from '../rdb/index.ts';

const STRING_6_BIT = 0x80;
const INT_13_BIT = 0xc0;
/** The other integers are above it. */
const STRING_32_BIT = 0xf0;

export class ListMatcher {
  readonly #reader: ListpackReader = new ListpackReader();
  #buf: Uint8Array = Buffer.alloc(0);
  #at = 0;
  #size = 0;
  #isInt = false;
  #int: number | bigint = 0;

  /** Takes the bytes to look for, which are read at each comparison. */
  set(buf: Uint8Array, at: number, size: number): void {
    this.#buf = buf;
    this.#at = at;
    this.#size = size;
    const int = size <= DIGITS_MAX ? parseInt64(buf, at, size) : NOT_INTEGER;
    this.#isInt = int !== NOT_INTEGER;
    if (int !== NOT_INTEGER) this.#int = int;
  }

  /** Whether the element at `pos` is equal. */
  matches(buf: Uint8Array, pos: number): boolean {
    const first = buf[pos]!;
    if (first < STRING_6_BIT) return this.#isInt && this.#int === first;
    if (first < INT_13_BIT) {
      const size = first & 63;
      return size === this.#size && sameBytes(buf, pos + 1, this.#buf, this.#at, size);
    }
    // An integer's digits are nothing but that integer.
    if (!this.#isInt && ((first & 0xe0) === INT_13_BIT || first > STRING_32_BIT)) return false;
    const reader = this.#reader;
    reader.read(buf, pos);
    if (reader.isInt) return this.#isInt && this.#int === reader.int;
    return reader.size === this.#size && reader.is(this.#buf, this.#at, this.#size);
  }
}
