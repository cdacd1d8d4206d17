/** The ways in which configuration text spells numbers. Source: behaviour of redis-server 7.0.15. */

const LONG_MAX = 9223372036854775807n;
const ULONG_MAX = 18446744073709551615n;

const STRICT = /^(?:0|-?[1-9][0-9]{0,18})$/;
const LAX = /^[+-]?[0-9]+$/;
const MEMORY = /^([0-9]*)(|b|k|kb|m|mb|g|gb)$/i;
const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;

const UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};

/** A signed 64-bit integer without blanks, plus or leading zeros. */
export function strictInteger(text: string): bigint | undefined {
  if (!STRICT.test(text)) return undefined;
  const value = BigInt(text);
  return value > LONG_MAX || value < -LONG_MAX - 1n ? undefined : value;
}

/** An integer as strtoll() reads it when it must use up the text: an empty one is 0, too great ones stop at the end. */
export function laxInteger(text: string): bigint | undefined {
  if (text === '') return 0n;
  if (!LAX.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (value > LONG_MAX) return LONG_MAX;
  return value < -LONG_MAX - 1n ? -LONG_MAX - 1n : value;
}

/** Bytes from digits and a unit; no digits are 0, and what does not fit 64 bits wraps as it does in C. */
export function memorySize(text: string): bigint | undefined {
  const match = MEMORY.exec(text);
  if (match === null) return undefined;
  const digits = match[1] === '' ? 0n : BigInt(match[1]!);
  const capped = digits > ULONG_MAX ? ULONG_MAX : digits;
  return BigInt.asUintN(64, capped * UNITS[match[2]!.toLowerCase()]!);
}

export function octalInteger(text: string): bigint | undefined {
  if (text === '') return 0n;
  const match = /^([+-]?)([0-7]+)$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(`0o${match[2]!}`);
  return match[1] === '-' ? -value : value;
}

export function decimalNumber(text: string): number | undefined {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/**
 * The number that settings keep. Divergence: beyond 2^53 - 1 it stays there, where Redis keeps all 64 bits; no limit
 * or time of that size differs from "none" in practice.
 */
export function settingNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

/** What an `int` of C keeps of a wider integer. */
export function narrowToInt(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

const MEMORY_UNITS: readonly (readonly [string, number])[] = [
  ['gb', 1024 ** 3],
  ['mb', 1024 ** 2],
  ['kb', 1024],
];

/** Bytes with the greatest unit that divides them, as CONFIG REWRITE writes them. */
export function memoryText(bytes: number): string {
  for (const [unit, size] of MEMORY_UNITS) {
    if (bytes !== 0 && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
