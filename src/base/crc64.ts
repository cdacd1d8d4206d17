/**
 * CRC64 as RDB files and DUMP payloads use it: Jones polynomial 0xad93d23594c935a9, reflected, initial value 0.
 * Kept in two 32-bit halves, because BigInt would be far too slow for a full synchronisation.
 */

// 0xad93d23594c935a9 with its bits reversed.
const POLY_HIGH = 0x95ac9329;
const POLY_LOW = 0xac4bc9b5;

/** Bytes that are taken at once, each by a table of its own. */
const SLICES = 8;
/** So many bytes a call: a function that is called often is compiled better than one long loop, which is left in the middle. */
const RUN_BYTES = 1024;

const HIGH: Int32Array = new Int32Array(256 * SLICES);
const LOW: Int32Array = new Int32Array(256 * SLICES);
fillTables();

function fillTables(): void {
  for (let i = 0; i < 256; i++) {
    let high = 0;
    let low = i;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | ((high & 1) << 31);
      high >>>= 1;
      if (carry) {
        high ^= POLY_HIGH;
        low ^= POLY_LOW;
      }
    }
    HIGH[i] = high;
    LOW[i] = low;
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let i = 0; i < 256; i++) {
      const from = (slice - 1) * 256 + i;
      const index = LOW[from]! & 255;
      LOW[slice * 256 + i] = ((LOW[from]! >>> 8) | (HIGH[from]! << 24)) ^ LOW[index]!;
      HIGH[slice * 256 + i] = (HIGH[from]! >>> 8) ^ HIGH[index]!;
    }
  }
}

/** A running CRC64; feed it pieces in order. */
export class Crc64 {
  #high = 0;
  #low = 0;

  reset(): void {
    this.#high = 0;
    this.#low = 0;
  }

  update(buf: Uint8Array, at: number, size: number): void {
    const end = at + size;
    const bulkEnd = at + size - (size % SLICES);
    for (let i = at; i < bulkEnd; i += RUN_BYTES) {
      this.#bulk(buf, i, Math.min(i + RUN_BYTES, bulkEnd));
    }
    let high = this.#high;
    let low = this.#low;
    for (let i = bulkEnd; i < end; i++) {
      const index = (low ^ buf[i]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!;
      high = (high >>> 8) ^ HIGH[index]!;
    }
    this.#high = high;
    this.#low = low;
  }

  /** `buf[at, end)`, whose size SLICES divides. */
  #bulk(buf: Uint8Array, at: number, end: number): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = at; i < end; i += SLICES) {
      low ^= buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
      high ^= buf[i + 4]! | (buf[i + 5]! << 8) | (buf[i + 6]! << 16) | (buf[i + 7]! << 24);
      const a = 1792 + (low & 255);
      const b = 1536 + ((low >>> 8) & 255);
      const c = 1280 + ((low >>> 16) & 255);
      const d = 1024 + (low >>> 24);
      const e = 768 + (high & 255);
      const f = 512 + ((high >>> 8) & 255);
      const g = 256 + ((high >>> 16) & 255);
      const h = high >>> 24;
      low = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
      high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^ HIGH[h]!;
    }
    this.#high = high;
    this.#low = low;
  }

  /** Writes the eight bytes, least significant first, as RDB has them. */
  writeTo(out: Uint8Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      out[at + i] = this.#low >>> (8 * i);
      out[at + 4 + i] = this.#high >>> (8 * i);
    }
  }

  /** Whether the eight bytes at `at` are this checksum. */
  matches(buf: Uint8Array, at: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (buf[at + i] !== ((this.#low >>> (8 * i)) & 255)) return false;
      if (buf[at + 4 + i] !== ((this.#high >>> (8 * i)) & 255)) return false;
    }
    return true;
  }
}
