/**
 * Sine, cosine and arc sine rounded correctly, for arguments as distances on earth have them. The
 * language leaves their last bit to the engine; C's library, whose distances clients see stored as
 * scores, rounds nearly always correctly. Computed as unevaluated sums of two doubles (Dekker,
 * "A floating-point technique for extending the available precision", 1971).
 */
import type { Trigonometry } from './geohash.ts';

/** A sum of two doubles, the first being the rounded sum; objects of this type are reused. */
interface Pair {
  high: number;
  low: number;
}

/** The three of them. */
export const CORRECT_TRIGONOMETRY: Trigonometry = { sin: sine, cos: cosine, asin: arcSine };

/** Splits a double of 53 bits into halves whose products are exact. */
const SPLITTER = 2 ** 27 + 1;
/** π/2 in three doubles. */
const HALF_PI: readonly [number, number, number] = [
  1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33,
];
/** Terms of the series: enough for 100 bits up to π/4. */
const TERMS = 15;

/** 1/n!, by n. */
const INVERSE_FACTORIALS: readonly Pair[] = inverseFactorials();

const SQUARE: Pair = { high: 0, low: 0 };
const SUM: Pair = { high: 0, low: 0 };
const REDUCED: Pair = { high: 0, low: 0 };

/** Sine of an angle in [-π, π]. */
function sine(x: number): number {
  // This small, the second term of the series is nothing to the first.
  if (Math.abs(x) < 2 ** -27) return x;
  sineOf(x);
  return SUM.high;
}

/** Cosine of an angle in [-π, π]. */
function cosine(x: number): number {
  sineOfQuarters(x, 1);
  return SUM.high;
}

/** Arc sine of a number in [0, 1]. */
function arcSine(y: number): number {
  const near = Math.asin(y);
  const slope = Math.cos(near);
  // One step of Newton's method from a value whose last bit is in doubt; at the end it has no slope.
  if (slope < 2 ** -20 || near < 2 ** -27) return near;
  sineOf(near);
  return near + (y - SUM.high - SUM.low) / slope;
}

function sineOf(x: number): void {
  sineOfQuarters(x, 0);
}

/** Leaves sin(x + quarters · π/2) in SUM. */
function sineOfQuarters(x: number, quarters: number): void {
  const turns = Math.round(x / HALF_PI[0]);
  reduce(x, turns);
  const quadrant = (turns + quarters) & 3;
  if ((quadrant & 1) === 0) {
    series(1);
    multiply(SUM, REDUCED);
  } else series(0);
  if (quadrant < 2) return;
  SUM.high = -SUM.high;
  SUM.low = -SUM.low;
}

/** Leaves x - turns · π/2 in REDUCED. */
function reduce(x: number, turns: number): void {
  const r = REDUCED;
  // A multiple by 0, ±1 or ±2 is exact, and so is the difference of numbers this near.
  r.high = x;
  r.low = 0;
  for (const part of HALF_PI) add(r, -turns * part);
}

/** Leaves the sum of (-1)^n · REDUCED^(2n) / (2n + first)! in SUM: the cosine, or the sine over its angle. */
function series(first: number): void {
  SQUARE.high = REDUCED.high;
  SQUARE.low = REDUCED.low;
  multiply(SQUARE, REDUCED);
  const sum = SUM;
  sum.high = 0;
  sum.low = 0;
  for (let n = TERMS - 1; n >= 0; n--) {
    multiply(sum, SQUARE);
    const term = INVERSE_FACTORIALS[2 * n + first]!;
    sum.high = -sum.high;
    sum.low = -sum.low;
    addPair(sum, term);
  }
}

function inverseFactorials(): readonly Pair[] {
  const pairs: Pair[] = [{ high: 1, low: 0 }];
  for (let n = 1; n < 2 * TERMS; n++) {
    const { high, low } = pairs.at(-1)!;
    const quotient = high / n;
    const rest = high - quotient * n;
    // The product is rounded, so the rest has to be told by its error.
    const error = productError(quotient, n, quotient * n);
    pairs.push(normalized(quotient, (rest - error + low) / n));
  }
  return pairs;
}

function normalized(high: number, low: number): Pair {
  const sum = high + low;
  return { high: sum, low: low - (sum - high) };
}

/** a · b - product, exactly. */
function productError(a: number, b: number, product: number): number {
  const aSplit = SPLITTER * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = SPLITTER * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function multiply(to: Pair, by: Pair): void {
  const product = to.high * by.high;
  const error = productError(to.high, by.high, product) + to.high * by.low + to.low * by.high;
  to.high = product + error;
  to.low = error - (to.high - product);
}

function add(to: Pair, value: number): void {
  const sum = to.high + value;
  const part = sum - to.high;
  const error = to.high - (sum - part) + (value - part) + to.low;
  to.high = sum + error;
  to.low = error - (to.high - sum);
}

function addPair(to: Pair, other: Pair): void {
  const sum = to.high + other.high;
  const part = sum - to.high;
  const error = to.high - (sum - part) + (other.high - part) + to.low + other.low;
  to.high = sum + error;
  to.low = error - (to.high - sum);
}
