/**
 * How many different elements a HyperLogLog saw, from how many registers have which value. Source:
 * Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6;
 * the order of operations is such that doubles round as in redis-server.
 */
import { HLL_REGISTERS } from './hll-registers.ts';

/** Values of registers are below this. */
export const HLL_VALUES = 64;
/** Values that hashes of 50 bits give: up to this plus one. */
const RUN_BITS = 50;
/** 1 / (2 ln 2). */
const ALPHA = 0.7213475204444817;
const INT64_LIMIT = 2 ** 63;

/** The estimate for `counts[value]` registers of each value. */
export function estimateElements(counts: Readonly<ArrayLike<number>>): number | bigint {
  const m = HLL_REGISTERS;
  let z = m * tau((m - counts[RUN_BITS + 1]!) / m);
  for (let value = RUN_BITS; value >= 1; value--) {
    z += counts[value]!;
    z *= 0.5;
  }
  z += m * sigma(counts[0]! / m);
  const estimate = Math.round((ALPHA * m * m) / z);
  // Registers that no hash can give: what C makes of a double that no integer can hold.
  if (!(estimate < INT64_LIMIT)) return -(2n ** 63n);
  return Number.isSafeInteger(estimate) ? estimate : BigInt(estimate);
}

function sigma(share: number): number {
  if (share === 1) return Infinity;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = NaN; before !== z;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = NaN; before !== z;) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
