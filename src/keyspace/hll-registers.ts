/**
 * The bytes of a HyperLogLog, which is a string: "HYLL", encoding, three bytes unused, the last
 * estimate (8 bytes, little-endian; top bit set: no longer true), and 16384 registers. Dense: six
 * bits each, lowest bits first. Sparse: a run of codes, see `hll-sparse.ts`.
 * Source: documented in 7.0 hyperloglog.c; checked against redis-server 7.0.15.
 */
import type { BytesView } from './entry.ts';

export const HLL_REGISTERS = 16_384;
export const HLL_HEADER_BYTES = 16;
export const HLL_DENSE_BYTES: number = HLL_HEADER_BYTES + (HLL_REGISTERS * 6) / 8;
export const HLL_DENSE = 0;
export const HLL_SPARSE = 1;
const REGISTER_BITS = 6;
const REGISTER_MASK = 63;
const AT_ENCODING = 4;
const AT_ESTIMATE = 8;
const ESTIMATE_BYTES = 8;
const MAGIC: Buffer = Buffer.from('HYLL');

/** Whether a string says that it is a HyperLogLog; the codes of a sparse one may still be wrong. */
export function isHll({ buf, at, size }: Readonly<BytesView>): boolean {
  if (size < HLL_HEADER_BYTES) return false;
  for (let i = 0; i < MAGIC.length; i++) if (buf[at + i] !== MAGIC[i]) return false;
  const encoding = buf[at + AT_ENCODING]!;
  return encoding === HLL_DENSE ? size === HLL_DENSE_BYTES : encoding === HLL_SPARSE;
}

/** The encoding of the HyperLogLog at `at`: HLL_DENSE or HLL_SPARSE. */
export function hllEncoding(buf: Uint8Array, at: number): number {
  return buf[at + AT_ENCODING]!;
}

/** Writes a header whose estimate is 0 and true. */
export function writeHllHeader(buf: Uint8Array, at: number, encoding: number): void {
  buf.fill(0, at, at + HLL_HEADER_BYTES);
  buf.set(MAGIC, at);
  buf[at + AT_ENCODING] = encoding;
}

export function setHllEncoding(buf: Uint8Array, at: number, encoding: number): void {
  buf[at + AT_ENCODING] = encoding;
}

/** The estimate in the header, or undefined when registers changed since. */
export function cachedEstimate(buf: Uint8Array, at: number): number | bigint | undefined {
  let value = 0n;
  for (let i = ESTIMATE_BYTES - 1; i >= 0; i--) {
    const byte = buf[at + AT_ESTIMATE + i]!;
    if (i === ESTIMATE_BYTES - 1 && byte >= 128) return undefined;
    value = (value << 8n) | BigInt(byte);
  }
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Writes an estimate that is true until a register changes. */
export function cacheEstimate(buf: Uint8Array, at: number, estimate: number | bigint): void {
  let rest = BigInt.asUintN(64, BigInt(estimate));
  for (let i = 0; i < ESTIMATE_BYTES; i++) {
    buf[at + AT_ESTIMATE + i] = Number(rest & 255n);
    rest >>= 8n;
  }
}

/** Registers have changed: the estimate is true no longer. */
export function forgetEstimate(buf: Uint8Array, at: number): void {
  buf[at + AT_ESTIMATE + ESTIMATE_BYTES - 1]! |= 128;
}

/** Register `index` of the dense HyperLogLog at `at`. */
export function denseRegister(buf: Uint8Array, at: number, index: number): number {
  const bit = index * REGISTER_BITS;
  const from = at + HLL_HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  const value = buf[from]! >>> shift;
  // A register that ends with its byte may be the last of the value.
  if (shift <= 2) return value & REGISTER_MASK;
  return (value | (buf[from + 1]! << (8 - shift))) & REGISTER_MASK;
}

export function putDenseRegister(buf: Uint8Array, at: number, index: number, value: number): void {
  const bit = index * REGISTER_BITS;
  const to = at + HLL_HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  buf[to] = (buf[to]! & ~(REGISTER_MASK << shift)) | (value << shift);
  if (shift <= 2) return;
  buf[to + 1] = (buf[to + 1]! & ~(REGISTER_MASK >>> (8 - shift))) | (value >>> (8 - shift));
}
