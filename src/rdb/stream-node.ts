/**
 * Checks nodes of streams from a stranger. A node is a listpack: number of entries, of deleted ones, the fields that
 * entries share (a count, the names, 0), then the entries: flags, distance of the two halves of the id from the
 * node's, fields and values (only values with SAME_FIELDS), and how many elements the entry takes before this one.
 */
import {
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  isListpackEnd,
  isListpackSound,
  listpackNext,
} from './listpack.ts';
import type { Bytes, StreamId } from './value.ts';

const FLAG_DELETED = 1;
const FLAG_SAME_FIELDS = 2;
/** Elements of an entry besides fields and values: flags, two of the id; and the number of fields. */
const ENTRY_ELEMENTS = 3;

/** Walks the nodes of one stream, in their order. */
export class StreamNodeCheck {
  /** Entries of the last node that are not deleted. */
  count = 0;
  /** Of all nodes since `begin`. */
  total = 0;
  /** Id of the first entry that is not deleted, as one number of 128 bits; undefined without any. */
  first: bigint | undefined;
  /** Id of the last entry. */
  last = -1n;
  readonly #element: ListpackReader = new ListpackReader();
  #buf: Buffer = Buffer.alloc(0);
  #pos = 0;
  #sharedFields = 0;

  begin(): void {
    this.total = 0;
    this.first = undefined;
    this.last = -1n;
  }

  /** Whether the node is sound and all its entries come after those before. */
  node(id: StreamId, { buf, at, size }: Bytes): boolean {
    if (!isListpackSound(buf, at, size)) return false;
    this.#buf = buf;
    this.#pos = at + LISTPACK_HEADER_BYTES;
    const count = this.#int();
    const deleted = this.#int();
    const shared = this.#int();
    if (count < 0 || deleted < 0 || shared < 0 || count + deleted > size || shared > size) {
      return false;
    }
    this.#sharedFields = shared;
    if (!this.#skip(shared) || this.#int() !== 0) return false;
    this.count = count;
    this.total += count;
    return this.#entries(idValue(id), count + deleted, deleted) && isListpackEnd(buf, this.#pos);
  }

  #entries(master: bigint, count: number, deleted: number): boolean {
    let deletedLeft = deleted;
    let ms: number | bigint = 0;
    let seq: number | bigint = 0;
    if (master <= this.last) return false;
    for (let i = 0; i < count; i++) {
      const flags = this.#int();
      const ms1 = this.#wide();
      const seq1 = this.#wide();
      if (flags < 0 || ms1 === undefined || seq1 === undefined) return false;
      // The first entry may be the one that the node is named after.
      const least = i === 0 ? 0 : 1;
      const isNear = typeof ms1 === 'number' && typeof seq1 === 'number' && ms1 >= 0;
      const isRising =
        isNear && typeof ms === 'number' && typeof seq === 'number' && ms >= 0
          ? ms1 > ms || (ms1 === ms && seq1 >= seq + least)
          : entryId(master, ms1, seq1) >= entryId(master, ms, seq) + BigInt(least);
      if (!isRising) return false;
      ms = ms1;
      seq = seq1;
      if ((flags & FLAG_DELETED) !== 0) deletedLeft--;
      else this.first ??= entryId(master, ms, seq);
      if (!this.#fields((flags & FLAG_SAME_FIELDS) !== 0)) return false;
    }
    if (count > 0) this.last = entryId(master, ms, seq);
    return deletedLeft === 0;
  }

  #fields(isSame: boolean): boolean {
    let elements = this.#sharedFields;
    let total = elements + ENTRY_ELEMENTS;
    if (!isSame) {
      const fields = this.#int();
      if (fields < 0) return false;
      elements = 2 * fields;
      total = elements + ENTRY_ELEMENTS + 1;
    }
    return this.#skip(elements) && this.#int() === total;
  }

  /** The next element if it is an integer of 32 bits from 0, else -1. */
  #int(): number {
    const value = this.#wide();
    return typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff ? value : -1;
  }

  #wide(): number | bigint | undefined {
    if (isListpackEnd(this.#buf, this.#pos)) return undefined;
    this.#pos = this.#element.read(this.#buf, this.#pos);
    return this.#element.isInt ? this.#element.int : undefined;
  }

  #skip(count: number): boolean {
    for (let i = 0; i < count; i++) {
      if (isListpackEnd(this.#buf, this.#pos)) return false;
      this.#pos = listpackNext(this.#buf, this.#pos);
    }
    return true;
  }
}

/** The id as one number of 128 bits. */
export function idValue({ buf, at }: StreamId): bigint {
  return (buf.readBigUInt64BE(at) << 64n) | buf.readBigUInt64BE(at + 8);
}

/** Writes an id of 128 bits. */
export function writeIdValue(buf: Buffer, at: number, id: bigint): void {
  buf.writeBigUInt64BE(id >> 64n, at);
  buf.writeBigUInt64BE(BigInt.asUintN(64, id), at + 8);
}

/** The id at a distance of another; far away it is a negative number, as distances have 64 bits with a sign. */
function entryId(master: bigint, ms: number | bigint, seq: number | bigint): bigint {
  const high = BigInt.asUintN(64, (master >> 64n) + BigInt(ms));
  const low = BigInt.asUintN(64, BigInt.asUintN(64, master) + BigInt(seq));
  return (high << 64n) | low;
}
