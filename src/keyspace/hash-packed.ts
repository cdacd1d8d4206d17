/** Small hashes: a listpack of field, value, field, value… in the order in which fields came. */
import { sameBytes } from '../base/index.ts';
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  listpackCount,
  listpackNext,
  writeListpackHeader,
} from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import { spliceBlob } from './blob.ts';
import type { BytesView } from './entry.ts';
import type { ValueHost } from './value-host.ts';

/** Listpacks do not grow beyond this. Source: 7.0 listpack.c, LISTPACK_MAX_SAFETY_LIMIT. */
export const PACKED_BYTES_MAX: number = 2 ** 30;
/** A position where there is no field. */
export const NOWHERE = -1;

/** An empty listpack. */
export const EMPTY_LISTPACK: Readonly<BytesView> = {
  buf: Buffer.alloc(EMPTY_LISTPACK_BYTES),
  at: 0,
  size: EMPTY_LISTPACK_BYTES,
};
writeListpackHeader(EMPTY_LISTPACK.buf, 0, EMPTY_LISTPACK_BYTES, 0);
EMPTY_LISTPACK.buf[EMPTY_LISTPACK_BYTES - 1] = LISTPACK_END;

/** Finds and changes the pairs of listpacks; a reusable worker, which keeps nothing of one. */
export class PackedHash {
  readonly #field = new ListpackElement();
  readonly #value = new ListpackElement();
  #probe: Buffer = Buffer.alloc(128);

  /** Position of a field, or NOWHERE. */
  find({ buf: pack, at: start }: BytesView, buf: Uint8Array, at: number, size: number): number {
    const element = this.#field;
    element.set(buf, at, size);
    const { bytes } = element;
    if (bytes > this.#probe.length) this.#probe = Buffer.alloc(bytes * 2);
    const probe = this.#probe;
    element.write(probe, 0);
    // Equal elements are equal bytes, because each has only one form.
    const first = probe[0]!;
    let pos = start + LISTPACK_HEADER_BYTES;
    while (pack[pos] !== LISTPACK_END) {
      if (pack[pos] === first && sameBytes(pack, pos, probe, 0, bytes)) return pos;
      pos = listpackNext(pack, listpackNext(pack, pos));
    }
    return NOWHERE;
  }

  /** Puts a value in the place of the one at `pos`; returns the entry's ref. */
  replace(db: ValueHost, ref: Ref, pos: number, value: Readonly<BytesView>): Ref {
    const { buf, at } = db.entries.stringView(ref);
    const count = listpackCount(buf, at);
    const offset = pos - at;
    const element = this.#value;
    element.set(value.buf, value.at, value.size);
    const to = spliceBlob(db, ref, offset, listpackNext(buf, pos) - pos, element.bytes);
    const pack = db.entries.stringView(to);
    element.write(pack.buf, pack.at + offset);
    writeListpackHeader(pack.buf, pack.at, pack.size, count);
    return to;
  }

  /** Adds a pair whose field is not there; returns the entry's ref. */
  append(db: ValueHost, ref: Ref, field: Readonly<BytesView>, value: Readonly<BytesView>): Ref {
    const old = db.entries.stringView(ref);
    const count = listpackCount(old.buf, old.at);
    const offset = old.size - 1;
    this.#field.set(field.buf, field.at, field.size);
    this.#value.set(value.buf, value.at, value.size);
    const to = spliceBlob(db, ref, offset, 0, this.#field.bytes + this.#value.bytes);
    const pack = db.entries.stringView(to);
    this.#value.write(pack.buf, this.#field.write(pack.buf, pack.at + offset));
    writeListpackHeader(pack.buf, pack.at, pack.size, count + 2);
    return to;
  }

  /** Takes out the pair at `pos`; returns the entry's ref. */
  remove(db: ValueHost, ref: Ref, pos: number): Ref {
    const { buf, at } = db.entries.stringView(ref);
    const count = listpackCount(buf, at);
    const end = listpackNext(buf, listpackNext(buf, pos));
    const to = spliceBlob(db, ref, pos - at, end - pos, 0);
    const pack = db.entries.stringView(to);
    writeListpackHeader(pack.buf, pack.at, pack.size, count - 2);
    return to;
  }
}
