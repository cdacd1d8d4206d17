/** Small hashes: a listpack of field, value, field, value… in the order in which fields came. */
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  NOWHERE,
  listpackCount,
  listpackFindPair,
  listpackNext,
  writeListpackHeader,
} from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import { spliceBlob } from './blob.ts';
import type { BytesView } from './entry.ts';
import type { ValueHost } from './value-host.ts';

/** Listpacks do not grow beyond this. Source: 7.0 listpack.c, LISTPACK_MAX_SAFETY_LIMIT. */
export const PACKED_BYTES_MAX: number = 2 ** 30;

/** An empty listpack. */
export const EMPTY_LISTPACK: Readonly<BytesView> = {
  buf: Buffer.alloc(EMPTY_LISTPACK_BYTES),
  at: 0,
  size: EMPTY_LISTPACK_BYTES,
};
writeListpackHeader(EMPTY_LISTPACK.buf, 0, EMPTY_LISTPACK_BYTES, 0);
EMPTY_LISTPACK.buf[EMPTY_LISTPACK_BYTES - 1] = LISTPACK_END;

/** Bytes of a listpack that is made in one go. */
const BUILT_BYTES_MAX = 4096;

/** Fields and values one behind the other: piece `i` is `buf[at[i], at[i] + size[i])`. */
export interface Pieces {
  readonly buf: Buffer;
  readonly at: Int32Array;
  readonly size: Int32Array;
}

/** Finds and changes the pairs of listpacks; a reusable worker, which keeps nothing of one. */
export class PackedHash {
  readonly #field = new ListpackElement();
  readonly #value = new ListpackElement();
  #probe: Buffer = Buffer.alloc(128);
  readonly #built: BytesView = { buf: Buffer.alloc(BUILT_BYTES_MAX), at: 0, size: 0 };

  /**
   * The listpack of pieces [first, end), in a view that the next call reuses; undefined when it is
   * not so simple: many bytes, or a field twice.
   */
  build({ buf, at, size }: Pieces, first: number, end: number): BytesView | undefined {
    const built = this.#built;
    const to = built.buf;
    built.size = EMPTY_LISTPACK_BYTES;
    to[LISTPACK_HEADER_BYTES] = LISTPACK_END;
    let count = 0;
    for (let i = first; i < end; i += 2) {
      if (i > first && this.find(built, buf, at[i]!, size[i]!) !== NOWHERE) return undefined;
      const field = this.#field;
      const value = this.#value;
      field.set(buf, at[i]!, size[i]!);
      value.set(buf, at[i + 1]!, size[i + 1]!);
      const pos = built.size - 1;
      built.size += field.bytes + value.bytes;
      if (built.size > BUILT_BYTES_MAX) return undefined;
      to[value.write(to, field.write(to, pos))] = LISTPACK_END;
      count += 2;
    }
    writeListpackHeader(to, 0, built.size, count);
    return built;
  }

  /** Position of a field, or NOWHERE. */
  find({ buf: pack, at: start }: BytesView, buf: Uint8Array, at: number, size: number): number {
    const element = this.#field;
    element.set(buf, at, size);
    const { bytes } = element;
    if (bytes > this.#probe.length) this.#probe = Buffer.alloc(bytes * 2);
    const probe = this.#probe;
    element.write(probe, 0);
    return listpackFindPair(pack, start, probe, bytes);
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
