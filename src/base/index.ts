/**
 * What every level stands on: branded numbers, the clock and dice interfaces, checksums, byte helpers and
 * `invariant`. Knows nothing of Redis beyond its two CRCs and its integer syntax.
 */
export {
  type MonoMs,
  type NodeId,
  type Replid,
  type Slot,
  SLOT_COUNT,
  type UnixMs,
  addMs,
  earlier,
  isHexId,
  isSlot,
  monoMs,
  nodeId,
  replid,
  slot,
  unixMs,
} from './brands.ts';
export { calendarText } from './calendar.ts';
export { clearBytes, copyBytes, copyEight, copyIn } from './copy.ts';
export { crc16, keySlot } from './crc16.ts';
export { Crc64 } from './crc64.ts';
export { countDigits, DIGITS_MAX, writeDigits, writeShortDigits } from './digits.ts';
export {
  bitLength,
  formatDouble,
  formatFixed,
  parseBound,
  parseDouble,
  shiftedRight,
  textDouble,
} from './double.ts';
export { globMatches } from './glob.ts';
export { InvariantError, assertNever, invariant } from './invariant.ts';
export { type Clock, type Rng, randomHex, seededRng } from './ports.ts';
export { WallMicros } from './wall-micros.ts';
export { SHA1_BYTES, Sha1, sha1 } from './sha1.ts';
export { sha256Hex } from './sha256.ts';
export { type SortKeys, sortedIndexes } from './sort-indexes.ts';
export { Spares } from './spares.ts';
export { quoteArgument, splitArguments } from './split-arguments.ts';
export {
  NOT_INTEGER,
  compareBytes,
  equalsIgnoreCase,
  parseInt64,
  sameBytes,
  upToZero,
} from './text.ts';
export { readU32, writeU32 } from './words.ts';
