/**
 * CRC64 as RDB files and DUMP payloads use it: Jones polynomial 0xad93d23594c935a9, reflected, initial value 0.
 * Kept in two 32-bit halves, because BigInt would be far too slow for a full synchronisation.
 */

// 0xad93d23594c935a9 with its bits reversed.
const POLY_HIGH = 0x95ac9329;
const POLY_LOW = 0xac4bc9b5;

const HIGH: Uint32Array = new Uint32Array(256 * 4);
const LOW: Uint32Array = new Uint32Array(256 * 4);
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
  for (let slice = 1; slice < 4; slice++) {
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
    let high = this.#high;
    let low = this.#low;
    let i = at;
    const end = at + size;
    for (const bulkEnd = at + (size & ~3); i < bulkEnd; i += 4) {
      low ^= buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
      const a = 768 + (low & 255);
      const b = 512 + ((low >>> 8) & 255);
      const c = 256 + ((low >>> 16) & 255);
      const d = low >>> 24;
      low = high ^ LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]!;
      high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]!;
    }
    for (; i < end; i++) {
      const index = (low ^ buf[i]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!;
      high = (high >>> 8) ^ HIGH[index]!;
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
