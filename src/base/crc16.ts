/** CRC16 (XMODEM) and the hash slot of a key. Source: Redis Cluster specification, "Key distribution model". */
import { SLOT_COUNT, type Slot } from './brands.ts';

const TABLE: Uint16Array = buildTable();

function buildTable(): Uint16Array {
  const table = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[i] = crc;
  }
  return table;
}

/** CRC16 of `size` bytes of `buf` from `at`: polynomial 0x1021, initial value 0, nothing reflected. */
export function crc16(buf: Uint8Array, at: number, size: number): number {
  let crc = 0;
  for (let i = at, end = at + size; i < end; i++) {
    crc = ((crc << 8) ^ TABLE[((crc >> 8) ^ buf[i]!) & 255]!) & 0xffff;
  }
  return crc;
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Hash slot of the key at `buf[at, at + size)`: CRC16 of its hash tag (of the whole key when it has none or an
 * empty one) mod SLOT_COUNT. Any bytes. Source: Redis Cluster specification, "Hash tags".
 */
export function keySlot(buf: Uint8Array, at: number, size: number): Slot {
  const end = at + size;
  let open = at;
  while (open < end && buf[open] !== OPEN_BRACE) open++;
  if (open < end) {
    let close = open + 1;
    while (close < end && buf[close] !== CLOSE_BRACE) close++;
    if (close < end && close > open + 1) {
      return (crc16(buf, open + 1, close - open - 1) & (SLOT_COUNT - 1)) as Slot;
    }
  }
  return (crc16(buf, at, size) & (SLOT_COUNT - 1)) as Slot;
}
