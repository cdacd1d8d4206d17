/**
 * Which files and payloads are read, by what they say of their version. Redis counts its versions on; Valkey, which
 * wrote those of Redis up to 11, counts from 80 and begins its files with a word of its own. A later version may only
 * hold what it has in common with ours: anything else in it is refused where it is met.
 */

/** Version that we write into files and DUMP payloads. */
export const RDB_VERSION = 10;
/** Bytes of the word and the digits that a file begins with. */
export const RDB_HEADER_SIZE = 9;

/** Redis 7.4 and 8.0. */
const NEWEST_OF_REDIS = 12;
/** Valkey 9. */
const OF_VALKEY = 80;
const REDIS = 'REDIS';
const VALKEY = 'VALKEY';

/** Whether Valkey's numbers, where they differ, are meant. */
export function isValkeyVersion(version: number): boolean {
  return version === OF_VALKEY;
}

/** Whether a DUMP payload that says so is tried. */
export function isReadableVersion(version: number): boolean {
  return version <= NEWEST_OF_REDIS || isValkeyVersion(version);
}

/** Whether a file that begins so is, or begins with, a snapshot. */
export function isRdbStart(start: Buffer): boolean {
  const text = start.toString('latin1', 0, VALKEY.length);
  return text.startsWith(REDIS) || text === VALKEY;
}

/** The header of a file whose values are of this readable version. */
export function rdbHeaderText(version: number): string {
  const word = isValkeyVersion(version) ? VALKEY : REDIS;
  return word + String(version).padStart(RDB_HEADER_SIZE - word.length, '0');
}

/** What the header says. */
export type RdbHeaderVersion =
  | { readonly kind: 'readable'; readonly version: number }
  | { readonly kind: 'wrongSignature' }
  | { readonly kind: 'unsupportedVersion'; readonly version: number };

/** Reads the `RDB_HEADER_SIZE` bytes of a header, one character a byte. */
export function parseRdbHeader(text: string): RdbHeaderVersion {
  const isValkey = text.startsWith(VALKEY);
  if (!isValkey && !text.startsWith(REDIS)) return { kind: 'wrongSignature' };
  const digits = text.slice(isValkey ? VALKEY.length : REDIS.length);
  const version = /^\d+$/.test(digits) ? Number(digits) : 0;
  const isReadable = isValkey
    ? isValkeyVersion(version)
    : version >= 1 && version <= NEWEST_OF_REDIS;
  return { kind: isReadable ? 'readable' : 'unsupportedVersion', version };
}
