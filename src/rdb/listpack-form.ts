/** Whether the elements of a listpack have the form that we (and Redis) would give them. */
import { NOT_INTEGER, DIGITS_MAX, parseInt64 } from '../base/index.ts';
import {
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  ListpackReader,
  isListpackEnd,
} from './listpack.ts';

/** Compares each element with what it would be if written anew. */
export class ListpackForm {
  readonly #reader: ListpackReader = new ListpackReader();
  readonly #element: ListpackElement = new ListpackElement();

  /**
   * Whether a sound listpack is as if its elements had been added one by one. Structures rely on that: in it, equal
   * elements are equal bytes. What a stranger made by hand may have an integer as text, or with more bytes than it needs.
   */
  isOurs(buf: Uint8Array, at: number): boolean {
    const reader = this.#reader;
    const element = this.#element;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      const next = reader.read(buf, pos);
      if (reader.isInt) {
        element.setInt(reader.int);
        if (element.bytes !== next - pos) return false;
      } else {
        if (reader.size <= DIGITS_MAX && parseInt64(buf, reader.at, reader.size) !== NOT_INTEGER) {
          return false;
        }
        if (stringHeadBytes(reader.size) !== reader.at - pos) return false;
      }
      pos = next;
    }
    return true;
  }
}

function stringHeadBytes(size: number): number {
  if (size < 64) return 1;
  return size < 4096 ? 2 : 5;
}
