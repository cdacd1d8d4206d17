/** Changing the bytes of a string in place: APPEND, SETRANGE and the bit commands. */
import { type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { clearBytes, copyBytes } from './bytes.ts';
import type { Database } from './database.ts';
import {
  type BytesView,
  ENCODING_RAW,
  type Entries,
  INLINE_BYTES_MAX,
  stringSectionBytes,
} from './entry.ts';

/**
 * Up to this size a growing value doubles, above it grows by a quarter, so that appending costs
 * O(1) a byte.
 */
const DOUBLING_BYTES_MAX = 1 << 20;

/**
 * Makes a string raw and at least `sizeMin` bytes long, filled up with zeros. The caller then
 * writes into `entries.stringView` of the returned ref and counts a change, if it was one.
 */
export function makeRaw(db: Database, ref: Ref, sizeMin: number): Ref {
  db.store.beforeChange(ref);
  const entries = db.entries;
  const size = Math.max(entries.stringSize(ref), sizeMin);
  let to = ref;
  if (entries.isOut(ref)) growOut(entries, ref, size);
  else if (size > INLINE_BYTES_MAX) to = moveOut(db, ref, size);
  else to = growInline(db, ref, size);
  entries.setEncoding(to, ENCODING_RAW);
  return to;
}

/** Adds bytes to the end of a string. They are not a view into this very string. */
export function append(db: Database, ref: Ref, bytes: BytesView): Ref {
  return setRange(db, ref, db.entries.stringSize(ref), bytes);
}

/**
 * Overwrites bytes of a string from `offset` on, with zeros before it where the string is shorter.
 */
export function setRange(db: Database, ref: Ref, offset: number, bytes: BytesView): Ref {
  const to = makeRaw(db, ref, offset + bytes.size);
  const view = db.entries.stringView(to);
  copyBytes(bytes.buf, bytes.at, view.buf, view.at + offset, bytes.size);
  db.changed(to);
  return to;
}

function withSlack(size: number): number {
  return size < DOUBLING_BYTES_MAX ? size * 2 : size + Math.floor(size / 4);
}

function growOut(entries: Entries, ref: Ref, size: number): void {
  const view = entries.stringView(ref);
  const oldSize = view.size;
  if (size === oldSize) return;
  let block = entries.outBlock(ref);
  if (size > entries.arena.capacity(block)) {
    const old = block;
    block = entries.arena.alloc(withSlack(size));
    const to = entries.arena.u8[block >>> SLAB_SHIFT]!;
    copyBytes(view.buf, view.at, to, (block & UNIT_MASK) << 3, oldSize);
    entries.arena.free(old);
  }
  const at = (block & UNIT_MASK) << 3;
  clearBytes(entries.arena.u8[block >>> SLAB_SHIFT]!, at + oldSize, at + size);
  entries.putOut(ref, block, size);
}

/** Moves an inline value, or an integer's digits, to a block of its own. */
function moveOut(db: Database, ref: Ref, size: number): Ref {
  const entries = db.entries;
  const block = entries.arena.alloc(withSlack(size));
  const bytes = entries.arena.u8[block >>> SLAB_SHIFT]!;
  const at = (block & UNIT_MASK) << 3;
  const view = entries.stringView(ref);
  copyBytes(view.buf, view.at, bytes, at, view.size);
  clearBytes(bytes, at + view.size, at + size);
  const section = Math.max(entries.sectionBytes(ref), stringSectionBytes(size));
  const to = db.relocate(ref, section, entries.hasExpiry(ref));
  entries.putOut(to, block, size);
  return to;
}

function growInline(db: Database, ref: Ref, size: number): Ref {
  const entries = db.entries;
  const isInt = entries.isInt(ref);
  const oldSize = entries.stringSize(ref);
  if (size === oldSize && !isInt) return ref;
  const needed = Math.max(stringSectionBytes(size), entries.sectionBytes(ref));
  const to = db.relocate(ref, needed, entries.hasExpiry(ref), size >>> 2);
  const view = entries.stringView(to);
  const bytes = entries.arena.u8[to >>> SLAB_SHIFT]!;
  if (isInt) {
    const { buf, at } = view;
    const start = entries.putInlineSize(to, size);
    copyBytes(buf, at, bytes, start, oldSize);
    clearBytes(bytes, start + oldSize, start + size);
    return to;
  }
  const from = view.at;
  // The size may take a second byte now, which shifts the value by one.
  const start = entries.sectionAt(to) + (size < 128 ? 1 : 2);
  if (start !== from) bytes.copyWithin(start, from, from + oldSize);
  entries.putInlineSize(to, size);
  clearBytes(bytes, start + oldSize, start + size);
  return to;
}
