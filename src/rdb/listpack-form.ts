/** Whether bytes from a stranger are a listpack, and whether its elements have the form that we (and Redis) would give them. */
import { DIGITS_MAX, NOT_INTEGER, parseInt64 } from '../base/index.ts';
import {
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  hasListpackFrame,
  isListpackCount,
  listpackBodyBytes,
  listpackInt,
  listpackNext,
  listpackPrevious,
  soundListpackNext,
} from './listpack.ts';

/**
 * `ours` is as if its elements had been added one by one. Structures rely on that: in it, equal elements are equal bytes.
 * What a stranger made by hand may have an integer as text, or with more bytes than it needs: then it is `foreign`.
 */
export type ListpackForm = 'broken' | 'foreign' | 'ours';

const MINUS = 0x2d;
const NINE = 0x39;

/** Compares each element with what it would be if written anew. */
export class ListpackForms {
  readonly #element: ListpackElement = new ListpackElement();

  /** The form of any bytes; `broken` is what `isListpackSound` refuses. In one pass, for most of a data set is looked at. */
  of(buf: Uint8Array, at: number, size: number): ListpackForm {
    if (!hasListpackFrame(buf, at, size)) return 'broken';
    const end = at + size - 1;
    let isOurs = true;
    let count = 0;
    let pos = at + LISTPACK_HEADER_BYTES;
    for (; pos < end; count++) {
      const first = buf[pos]!;
      if (first >= 0x80 && first < 0xc0) {
        const textSize = first & 63;
        const next = listpackNext(buf, pos);
        if (next > end) return 'broken';
        if (buf[next - 1] !== textSize + 1 && listpackPrevious(buf, next) !== pos) return 'broken';
        if (isOurs && isInteger(buf, pos + 1, textSize)) isOurs = false;
        pos = next;
        continue;
      }
      const next = soundListpackNext(buf, pos, end);
      if (next < 0) return 'broken';
      if (isOurs && first >= 0x80 && !this.#isLongOurs(buf, pos, next)) isOurs = false;
      pos = next;
    }
    if (pos !== end || !isListpackCount(buf, at, count)) return 'broken';
    return isOurs ? 'ours' : 'foreign';
  }

  /** The same for a sound element that is neither a short string nor a small integer. */
  #isLongOurs(buf: Uint8Array, pos: number, next: number): boolean {
    const int = listpackInt(buf, pos);
    const element = this.#element;
    if (int !== undefined) {
      element.setInt(int);
      return element.bytes === next - pos;
    }
    const headBytes = buf[pos]! < 0xf0 ? 2 : 5;
    const size = listpackBodyBytes(buf, pos) - headBytes;
    return stringHeadBytes(size) === headBytes && !isInteger(buf, pos + headBytes, size);
  }
}

/** Whether bytes read as an integer. */
function isInteger(buf: Uint8Array, at: number, size: number): boolean {
  if (size === 0 || size > DIGITS_MAX) return false;
  const first = buf[at]!;
  return first >= MINUS && first <= NINE && parseInt64(buf, at, size) !== NOT_INTEGER;
}

function stringHeadBytes(size: number): number {
  if (size < 64) return 1;
  return size < 4096 ? 2 : 5;
}
