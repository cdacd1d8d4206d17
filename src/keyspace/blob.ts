/**
 * Blobs: values that are one run of bytes in (or just outside) their entry. Strings are blobs, and
 * so are small containers, whose bytes are a listpack or an intset.
 */
import { type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { copyBytes } from './bytes.ts';
import { type Entries, INLINE_BYTES_MAX, OUT_BYTES, stringSectionBytes } from './entry.ts';
import type { BlobHost } from './value-host.ts';

/**
 * Makes the `removed` bytes at `offset` of an entry's blob into `added` bytes of unspecified
 * content; what is before and behind stays. The caller has told the snapshots
 * (`store.beforeChange`), writes the new bytes into `entries.stringView` of the returned ref, and
 * then counts the change.
 */
export function spliceBlob(
  db: BlobHost,
  ref: Ref,
  offset: number,
  removed: number,
  added: number,
): Ref {
  const { entries } = db;
  if (removed === added) return ref;
  const splice = { offset, removed, added };
  if (entries.isOut(ref)) {
    spliceOut(entries, ref, splice);
    return ref;
  }
  const size = entries.stringSize(ref) - removed + added;
  if (size > INLINE_BYTES_MAX) return spliceToOut(db, ref, splice);
  return added > removed ? growInline(db, ref, splice) : shrinkInline(db, ref, splice);
}

interface Splice {
  readonly offset: number;
  readonly removed: number;
  readonly added: number;
}

function growInline(db: BlobHost, ref: Ref, { offset, removed, added }: Splice): Ref {
  const { entries } = db;
  const oldSize = entries.stringSize(ref);
  const size = oldSize - removed + added;
  const to = db.relocate(ref, stringSectionBytes(size), entries.hasExpiry(ref));
  const view = entries.stringView(to);
  const from = view.at;
  const bytes = entries.arena.u8[to >>> SLAB_SHIFT]!;
  // Everything moves to higher places, so the end goes first.
  const start = entries.sectionAt(to) + (size < 128 ? 1 : 2);
  bytes.copyWithin(start + offset + added, from + offset + removed, from + oldSize);
  if (start !== from) bytes.copyWithin(start, from, from + offset);
  entries.putInlineSize(to, size);
  return to;
}

function shrinkInline(db: BlobHost, ref: Ref, { offset, removed, added }: Splice): Ref {
  const { entries } = db;
  const view = entries.stringView(ref);
  const from = view.at;
  const oldSize = view.size;
  const size = oldSize - removed + added;
  const bytes = entries.arena.u8[ref >>> SLAB_SHIFT]!;
  const start = entries.sectionAt(ref) + (size < 128 ? 1 : 2);
  if (start !== from) bytes.copyWithin(start, from, from + offset);
  bytes.copyWithin(start + offset + added, from + offset + removed, from + oldSize);
  entries.putInlineSize(ref, size);
  return db.relocate(ref, stringSectionBytes(size), entries.hasExpiry(ref));
}

function spliceToOut(db: BlobHost, ref: Ref, splice: Splice): Ref {
  const { entries } = db;
  const view = entries.stringView(ref);
  const size = view.size - splice.removed + splice.added;
  const block = copySpliced(entries, view, splice);
  entries.putInlineSize(ref, 0);
  const to = db.relocate(ref, OUT_BYTES, entries.hasExpiry(ref));
  entries.putOut(to, block, size);
  return to;
}

function spliceOut(entries: Entries, ref: Ref, splice: Splice): void {
  const { offset, removed, added } = splice;
  const view = entries.stringView(ref);
  const oldSize = view.size;
  const size = oldSize - removed + added;
  const block = entries.outBlock(ref);
  const capacity = entries.arena.capacity(block);
  if (size <= capacity && size * 2 >= capacity) {
    const bytes = entries.arena.u8[block >>> SLAB_SHIFT]!;
    const at = (block & UNIT_MASK) << 3;
    bytes.copyWithin(at + offset + added, at + offset + removed, at + oldSize);
    entries.putOut(ref, block, size);
    return;
  }
  const to = copySpliced(entries, view, splice);
  entries.arena.free(block);
  entries.putOut(ref, to, size);
}

/** A block of its own for the bytes after the splice, with an eighth more where it grows. */
function copySpliced(
  entries: Entries,
  view: { readonly buf: Uint8Array; readonly at: number; readonly size: number },
  { offset, removed, added }: Splice,
): Ref {
  const { buf, at, size: oldSize } = view;
  const size = oldSize - removed + added;
  const block = entries.arena.alloc(added > removed ? size + (size >>> 3) : size);
  const bytes = entries.arena.u8[block >>> SLAB_SHIFT]!;
  const to = (block & UNIT_MASK) << 3;
  copyBytes(buf, at, bytes, to, offset);
  const tail = offset + removed;
  copyBytes(buf, at + tail, bytes, to + offset + added, oldSize - tail);
  return block;
}
