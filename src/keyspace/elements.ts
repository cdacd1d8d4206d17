/**
 * Elements of large containers: a name (set member, hash field, sorted set member) and what
 * belongs to it, in one arena block.
 *
 * Layout: `prefixBytes` of the container's own (a multiple of 8, so that a double is aligned), the
 * name's size, the name, and the payload. A size below 128 takes one byte, below 16384 two (`10` in
 * the top bits, most significant byte first), else five (0xc0 and 32 bits, little-endian).
 */
import { sameBytes } from '../base/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { copyIn, readU32, writeU32 } from './bytes.ts';
import type { BytesView } from './entry.ts';
import type { KeyHash } from './hash.ts';
import type { ElementKeys } from './table.ts';

/** Bytes that the size of `size` bytes takes. */
export function sizeBytes(size: number): number {
  if (size < 128) return 1;
  return size < 16_384 ? 2 : 5;
}

/** Writes a size and returns where what follows starts. */
export function writeSize(bytes: Uint8Array, at: number, size: number): number {
  if (size < 128) {
    bytes[at] = size;
    return at + 1;
  }
  if (size < 16_384) {
    bytes[at] = 0x80 | (size >>> 8);
    bytes[at + 1] = size & 255;
    return at + 2;
  }
  bytes[at] = 0xc0;
  writeU32(bytes, at + 1, size);
  return at + 5;
}

/** The size written at `at`; the bytes behind it start at `at + sizeBytes(size)`. */
export function readSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 128) return first;
  return first < 0xc0 ? ((first & 63) << 8) | bytes[at + 1]! : readU32(bytes, at + 1);
}

/** Reads and writes the elements of one kind of container in one arena. */
export class Elements implements ElementKeys {
  readonly arena: Arena;
  readonly #hash: KeyHash;
  readonly #prefixBytes: number;
  readonly #name: BytesView;

  constructor(arena: Arena, hash: KeyHash, prefixBytes: number) {
    this.arena = arena;
    this.#hash = hash;
    this.#prefixBytes = prefixBytes;
    this.#name = { buf: new Uint8Array(0), at: 0, size: 0 };
  }

  /** A new element; prefix and payload are unspecified. */
  create(buf: Uint8Array, at: number, size: number, payloadBytes: number): Ref {
    const head = this.#prefixBytes + sizeBytes(size);
    const ref = this.arena.alloc(head + size + payloadBytes);
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const to = writeSize(bytes, ((ref & UNIT_MASK) << 3) + this.#prefixBytes, size);
    copyIn(buf, at, bytes, this.arena.views[ref >>> SLAB_SHIFT]!, to, size);
    return ref;
  }

  /** Hash of a name, for the tables of this arena. */
  hash(buf: Uint8Array, at: number, size: number): number {
    return this.#hash.hash(buf, at, size);
  }

  hashOf(ref: Ref): number {
    const { buf, at, size } = this.name(ref);
    return this.#hash.hash(buf, at, size);
  }

  hasKey(ref: Ref, buf: Uint8Array, at: number, size: number): boolean {
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const sizeAt = ((ref & UNIT_MASK) << 3) + this.#prefixBytes;
    if (readSize(bytes, sizeAt) !== size) return false;
    return sameBytes(bytes, sizeAt + sizeBytes(size), buf, at, size);
  }

  /** The name's bytes, in a view that the next call reuses. */
  name(ref: Ref): BytesView {
    const view = this.#name;
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const sizeAt = ((ref & UNIT_MASK) << 3) + this.#prefixBytes;
    view.buf = bytes;
    view.size = readSize(bytes, sizeAt);
    view.at = sizeAt + sizeBytes(view.size);
    return view;
  }

  /** Where in its slab the payload starts. */
  payloadAt(ref: Ref): number {
    const { at, size } = this.name(ref);
    return at + size;
  }
}
