/** Lists as quicklists: a count of nodes, each a ziplist, a listpack or a single large element. */
import { StringSlot } from './cursor.ts';
import type { RdbCursor } from './cursor.ts';
import { NODE_PACKED, NODE_PLAIN, TYPE_LIST_QUICKLIST_2 } from './format.ts';
import { ListpackForms } from './listpack-form.ts';
import { LISTPACK_HEADER_BYTES, ListpackReader, isListpackEnd, listpackCount } from './listpack.ts';
import type { ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder } from './value-decoder.ts';
import { ZiplistReader } from './ziplist.ts';

export class QuicklistDecoder implements ValueDecoder {
  readonly #node: StringSlot = new StringSlot();
  readonly #forms: ListpackForms = new ListpackForms();
  readonly #element: ListpackReader = new ListpackReader();
  readonly #ziplist: ZiplistReader = new ZiplistReader();
  #hasContainers = false;
  #left = -1;
  /** The sink knows of the list: not before an element, for nodes may be empty. */
  #isBegun = false;

  begin(type: number): void {
    this.#hasContainers = type === TYPE_LIST_QUICKLIST_2;
    this.#left = -1;
    this.#isBegun = false;
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    let from = cursor.at;
    if (this.#left < 0) {
      const count = cursor.plainLength();
      if (count === undefined) {
        cursor.at = from;
        return 'more';
      }
      this.#left = count;
    }
    while (this.#left > 0) {
      from = cursor.at;
      if (!this.#one(cursor, sink)) {
        cursor.at = from;
        return 'more';
      }
      this.#left--;
    }
    return this.#isBegun ? 'done' : 'empty';
  }

  #one(cursor: RdbCursor, sink: ValueSink): boolean {
    let container = 0;
    if (this.#hasContainers) {
      const read = cursor.plainLength();
      if (read === undefined) return false;
      if (read !== NODE_PLAIN && read !== NODE_PACKED) {
        return cursor.refuse('Quicklist integrity check failed.');
      }
      container = read;
    }
    const node = this.#node;
    if (!cursor.string(node)) return false;
    if (container === 0) return this.#ziplistNode(cursor, sink);
    if (container === NODE_PLAIN) {
      if (node.size === 0) return cursor.refuse('Quicklist integrity check failed.');
      this.#begin(sink);
      return sink.element(node);
    }
    const form = this.#forms.of(node.buf, node.at, node.size);
    if (form === 'broken') return cursor.refuse('Listpack integrity check failed.');
    if (listpackCount(node.buf, node.at) === 0) return true;
    this.#begin(sink);
    if (form === 'ours') sink.listpack('list', node);
    else this.#elements(sink);
    return true;
  }

  #ziplistNode(cursor: RdbCursor, sink: ValueSink): boolean {
    const ziplist = this.#ziplist;
    const { buf, at, size } = this.#node;
    ziplist.open(buf, at, size);
    while (ziplist.next()) {
      this.#begin(sink);
      sink.element(ziplist);
    }
    return ziplist.isSound || cursor.refuse('Ziplist integrity check failed.');
  }

  #elements(sink: ValueSink): void {
    const { buf, at } = this.#node;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = this.#element.read(buf, pos);
      // What we read from is a Buffer, and so is what its elements are in.
      sink.element(this.#element as ListpackReader & { readonly buf: Buffer });
    }
  }

  #begin(sink: ValueSink): void {
    if (!this.#isBegun) sink.container('list', this.#left);
    this.#isBegun = true;
  }
}
