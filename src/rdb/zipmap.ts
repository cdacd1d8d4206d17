/**
 * Zipmap, the packed form of hashes before Redis 2.6: number of pairs (254 and more: unknown), the pairs, 0xff. A pair
 * is a length and the field, a length, one byte that says how many bytes are unused behind the value, and the value.
 * A length is one byte, or 254 and four bytes, little-endian. Only read.
 */
const END = 0xff;
const WIDE_LENGTH = 254;
const COUNT_UNKNOWN = 254;

/** A run of bytes in the zipmap. */
interface Part {
  buf: Buffer;
  at: number;
  size: number;
}

/** Walks a zipmap from a stranger pair by pair; every step is checked. */
export class ZipmapReader {
  readonly field: Part = { buf: Buffer.alloc(0), at: 0, size: 0 };
  readonly value: Part = { buf: this.field.buf, at: 0, size: 0 };
  /** Whether what was read so far is a zipmap, once `next` answered false the whole. */
  isSound = false;
  #pos = 0;
  #end = 0;
  #statedCount = 0;
  #count = 0;

  /** Begins at the zipmap in `buf[at, at + size)`. */
  open(buf: Buffer, at: number, size: number): void {
    this.isSound = size >= 2 && buf[at + size - 1] === END;
    this.field.buf = buf;
    this.value.buf = buf;
    this.#statedCount = buf[at] ?? 0;
    this.#pos = at + 1;
    this.#end = at + size - 1;
    this.#count = 0;
  }

  /** Reads the next pair; false at the end, or when the bytes are no zipmap. */
  next(): boolean {
    if (!this.isSound) return false;
    if (this.#pos === this.#end) {
      this.isSound = this.#statedCount >= COUNT_UNKNOWN || this.#statedCount === this.#count;
      return false;
    }
    this.#count++;
    this.isSound = this.#part(this.field, 0) && this.#part(this.value, 1);
    return this.isSound;
  }

  /** Reads a length, `extra` bytes that say how much is unused, and as many bytes as the length says. */
  #part(part: Part, extra: 0 | 1): boolean {
    const { buf } = part;
    if (this.#pos >= this.#end) return false;
    let size = buf[this.#pos++]!;
    if (size === WIDE_LENGTH) {
      if (this.#pos + 4 > this.#end) return false;
      size = buf.readUInt32LE(this.#pos);
      this.#pos += 4;
    } else if (size === END) return false;
    const unused = extra === 0 ? 0 : buf[this.#pos]!;
    part.at = this.#pos + extra;
    part.size = size;
    this.#pos = part.at + size + unused;
    return this.#pos <= this.#end;
  }
}
