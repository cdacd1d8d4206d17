/**
 * The conversions of C's printf() for numbers, with flags, width and precision, which string.format
 * stands on. Source: ISO C, fprintf(); behaviour of redis-server 7.0.15 with glibc on 64-bit machines.
 */
import { exponentialDigits, fixedDigits } from './decimal-digits.ts';

const INT64_LIMIT = 2 ** 63;
const UINT64_LIMIT = 2 ** 64;
/** What a conversion of a number out of range to a signed integer gives on x86. */
const INT64_MIN = -(1n << 63n);
/** Numbers from 10^-4 on are written without exponent by `%g`. */
const PLAIN_EXPONENT_MIN = -4;
/** Decimals of %e, %f and %g when nobody says. */
const DEFAULT_PRECISION = 6;

/** What stands between `%` and the conversion. */
export interface NumberSpec {
  readonly isLeft: boolean;
  readonly isZeroPadded: boolean;
  readonly isAlternate: boolean;
  /** What a number that is not negative begins with: `+`, a space or nothing. */
  readonly plus: string;
  /** Least number of characters. */
  readonly width: number;
  /** -1 for none given. */
  readonly precision: number;
}

/** `%.Ng` of any number, without other flags. */
export function formatGeneral(value: number, precision: number): string {
  const sign = isNegative(value) ? '-' : '';
  if (!Number.isFinite(value)) return sign + nameOf(value);
  return sign + generalText(Math.abs(value), precision, false);
}

/** `%e`, `%f`, `%g` and, for capitals, `%E` and `%G`. */
export function formatFloat(spec: NumberSpec, conversion: string, value: number): string {
  const kind = conversion.toLowerCase();
  const isFinite = Number.isFinite(value);
  const body = isFinite ? finiteText(spec, kind, Math.abs(value)) : nameOf(value);
  const isPadded = isFinite && spec.isZeroPadded;
  const padded = padNumber(
    isPadded === spec.isZeroPadded ? spec : { ...spec, isZeroPadded: false },
    isNegative(value) ? '-' : spec.plus,
    body,
  );
  return kind === conversion ? padded : padded.toUpperCase();
}

/** `%d` and `%i`: the whole part as a signed 64-bit integer. */
export function formatInteger(spec: NumberSpec, value: number): string {
  const integer = Math.trunc(value);
  if (Number.isSafeInteger(integer)) {
    const sign = integer < 0 ? '-' : spec.plus;
    return padInteger(spec, sign, String(Math.abs(integer)));
  }
  const isInRange = integer >= -INT64_LIMIT && integer < INT64_LIMIT;
  const big = isInRange ? BigInt(integer) : INT64_MIN;
  return padInteger(spec, big < 0n ? '-' : spec.plus, String(big < 0n ? -big : big));
}

/** `%u`, `%o`, `%x` and `%X`: the whole part as an unsigned 64-bit integer. */
export function formatUnsigned(spec: NumberSpec, conversion: string, value: number): string {
  const digits = unsignedDigits(value, conversion);
  if (!spec.isAlternate || conversion === 'u') return padInteger(spec, '', digits);
  if (conversion === 'o') {
    const isLong = spec.precision > digits.length || digits === '0';
    if (!isLong) return padInteger(spec, '', `0${digits}`);
    // A zero of no digits keeps the one that the flag stands for.
    return padInteger(spec.precision === 0 ? { ...spec, precision: 1 } : spec, '', digits);
  }
  return padInteger(spec, digits === '0' ? '' : `0${conversion}`, digits);
}

function unsignedDigits(value: number, conversion: string): string {
  const radix = conversion === 'u' ? 10 : conversion === 'o' ? 8 : 16;
  const integer = Math.trunc(value);
  const isSmall = integer >= 0 && integer <= Number.MAX_SAFE_INTEGER;
  const digits = (isSmall ? integer : unsignedBits(integer)).toString(radix);
  return conversion === 'X' ? digits.toUpperCase() : digits;
}

/** The bits that a conversion to an unsigned integer leaves on x86, in range or not. */
export function unsignedBits(integer: number): bigint {
  if (integer >= UINT64_LIMIT) return 0n;
  const isInRange = integer >= -INT64_LIMIT;
  return BigInt.asUintN(64, isInRange ? BigInt(integer) : INT64_MIN);
}

/** Digits of an integer to its precision and width; a zero of precision 0 has none. */
function padInteger(spec: NumberSpec, prefix: string, digits: string): string {
  const { precision } = spec;
  if (precision < 0) return padNumber(spec, prefix, digits);
  const exact = precision === 0 && digits === '0' ? '' : digits.padStart(precision, '0');
  return padNumber({ ...spec, isZeroPadded: false }, prefix, exact);
}

/** Zeros go between the sign or prefix and the digits, blanks outside. */
function padNumber(spec: NumberSpec, prefix: string, digits: string): string {
  const { width } = spec;
  if (prefix.length + digits.length >= width) return prefix + digits;
  if (spec.isLeft) return (prefix + digits).padEnd(width);
  if (spec.isZeroPadded) return prefix + digits.padStart(width - prefix.length, '0');
  return (prefix + digits).padStart(width);
}

function finiteText(spec: NumberSpec, kind: string, value: number): string {
  const precision = spec.precision < 0 ? DEFAULT_PRECISION : spec.precision;
  if (kind === 'e') {
    const { digits, exponent } = exponentialDigits(value, precision);
    return exponentialText(digits[0]!, digits.slice(1), exponent, spec.isAlternate);
  }
  if (kind === 'g') return generalText(value, precision, spec.isAlternate);
  const { whole, fraction } = fixedDigits(value, precision);
  return joined(whole, fraction, spec.isAlternate);
}

/** `keepsZeros` is the flag `#`: zeros and the point stay even if nothing follows them. */
function generalText(value: number, precision: number, keepsZeros: boolean): string {
  const significant = Math.max(1, precision);
  const { digits, exponent } = exponentialDigits(value, significant - 1);
  const isPlain = exponent >= PLAIN_EXPONENT_MIN && exponent < significant;
  if (!isPlain) {
    return exponentialText(
      digits[0]!,
      shortened(digits.slice(1), keepsZeros),
      exponent,
      keepsZeros,
    );
  }
  if (exponent < 0) {
    return joined('0', shortened('0'.repeat(-exponent - 1) + digits, keepsZeros), keepsZeros);
  }
  const fraction = shortened(digits.slice(exponent + 1), keepsZeros);
  return joined(digits.slice(0, exponent + 1), fraction, keepsZeros);
}

function exponentialText(
  first: string,
  fraction: string,
  exponent: number,
  keepsPoint: boolean,
): string {
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${joined(first, fraction, keepsPoint)}e${exponent < 0 ? '-' : '+'}${power}`;
}

function shortened(fraction: string, keepsZeros: boolean): string {
  if (keepsZeros) return fraction;
  let end = fraction.length;
  while (end > 0 && fraction.charCodeAt(end - 1) === 0x30) end--;
  return fraction.slice(0, end);
}

function joined(whole: string, fraction: string, keepsPoint: boolean): string {
  return fraction !== '' || keepsPoint ? `${whole}.${fraction}` : whole;
}

function nameOf(value: number): string {
  return Number.isNaN(value) ? 'nan' : 'inf';
}

/**
 * Divergence: the sign of a NaN is not known here; `-nan` is what arithmetic makes on x86.
 */
function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0) || Number.isNaN(value);
}
