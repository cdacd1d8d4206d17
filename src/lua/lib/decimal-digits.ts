/**
 * Decimal digits of doubles, rounded as C does: an exact half goes to the even digit. JavaScript's own
 * toFixed and toExponential are exact too, but round halves up and give up on digits from 10^21 on.
 */

/** From here on toFixed() writes exponents. */
const FIXED_LIMIT = 1e21;
const MANTISSA_BITS = 52;
/** Powers of ten up to this one are doubles. */
const EXACT_POWER_MAX = 22;
export const POWERS_OF_TEN: readonly number[] = Array.from(
  { length: EXACT_POWER_MAX + 1 },
  (_, power) => 10 ** power,
);
/** Below this a product is wrong by less than DOUBT, and one more is exact. */
const UNITS_LIMIT = 2 ** 47;
const DOUBT = 1 / 32;

/** `whole` digits before the point, `fraction` digits behind it. */
interface Fixed {
  readonly whole: string;
  readonly fraction: string;
}

/** d.ddd × 10^exponent. */
interface Exponential {
  readonly digits: string;
  readonly exponent: number;
}

/**
 * A number ≥ 0 as an integer of 10^-decimals (0 to 22), rounded; -1 where a product of doubles leaves open to
 * which side, or is no exact integer any more.
 */
export function quickUnits(value: number, decimals: number): number {
  const product = value * POWERS_OF_TEN[decimals]!;
  if (!(product < UNITS_LIMIT)) return -1;
  const whole = Math.floor(product);
  const rest = product - whole;
  if (rest > 0.5 - DOUBT && rest < 0.5 + DOUBT) return -1;
  return rest < 0.5 ? whole : whole + 1;
}

/** The digits of an integer ≥ 0, with zeros before them up to `width`. */
function paddedDigits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** A finite number ≥ 0 with `decimals` (0 to 100) digits behind the point. */
export function fixedDigits(value: number, decimals: number): Fixed {
  const units = decimals <= EXACT_POWER_MAX ? quickUnits(value, decimals) : -1;
  if (units >= 0) {
    const unit = POWERS_OF_TEN[decimals]!;
    const whole = Math.floor(units / unit);
    const fraction = decimals === 0 ? '' : paddedDigits(units - whole * unit, decimals);
    return { whole: String(whole), fraction };
  }
  if (value < FIXED_LIMIT && !isHalf(value, decimals)) {
    const [whole = '', fraction = ''] = value.toFixed(decimals).split('.');
    return { whole, fraction };
  }
  const { digits, scale } = exactDigits(value);
  const text = roundedAt(digits, scale, decimals).padStart(decimals + 1, '0');
  const point = text.length - decimals;
  return { whole: text.slice(0, point), fraction: text.slice(point) };
}

/** A finite number ≥ 0 with `decimals` (0 to 100) digits behind its first one, which is 0 for 0 only. */
export function exponentialDigits(value: number, decimals: number): Exponential {
  const [mantissa = '', power = ''] = value.toExponential(decimals).split('e');
  const digits = mantissa.length > 1 ? mantissa[0]! + mantissa.slice(2) : mantissa;
  const exponent = Number(power);
  // Only what was rounded to an odd digit can be wrong.
  const isOdd = digits.charCodeAt(digits.length - 1) % 2 === 1;
  if (!isOdd || !isHalf(value, decimals - exponent)) return { digits, exponent };
  return { digits: digits.slice(0, -1) + String(Number(digits.at(-1)) - 1), exponent };
}

/** Whether the number lies exactly between two of so many decimals, which may be less than none. */
function isHalf(value: number, decimals: number): boolean {
  // With any decimals, halves are odd multiples of one power of two, which a double can tell.
  if (decimals >= 0) return (value * 2 ** (decimals + 1)) % 2 === 1;
  if (!Number.isInteger(value)) return false;
  const unit = 10n ** BigInt(-decimals);
  return (BigInt(value) % unit) * 2n === unit;
}

/** All digits of a number ≥ 0: digits × 10^-scale. */
function exactDigits(value: number): { readonly digits: string; readonly scale: number } {
  if (Number.isInteger(value)) return { digits: BigInt(value).toString(), scale: 0 };
  // The bits behind the point of a number below 1 reach further down with its exponent.
  let scale = 0;
  let mantissa = value;
  for (; !Number.isInteger(mantissa); scale += MANTISSA_BITS) mantissa *= 2 ** MANTISSA_BITS;
  return { digits: (BigInt(mantissa) * 5n ** BigInt(scale)).toString(), scale };
}

/** digits × 10^-scale as an integer of 10^-decimals, half to even. */
function roundedAt(digits: string, scale: number, decimals: number): string {
  if (scale <= decimals) return digits + '0'.repeat(decimals - scale);
  const unit = 10n ** BigInt(scale - decimals);
  const magnitude = BigInt(digits);
  const quotient = magnitude / unit;
  const twice = (magnitude % unit) * 2n;
  const isUp = twice > unit || (twice === unit && quotient % 2n === 1n);
  return (isUp ? quotient + 1n : quotient).toString();
}
