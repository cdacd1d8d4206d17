/**
 * The generator behind math.random: 48 bits, x' = a·x + c modulo 2^48, as POSIX describes it for the
 * rand48 functions. Its numbers are the same on every machine and in every run.
 */

const MULTIPLIER = 0x5deece66dn;
const INCREMENT = 0xbn;
const BITS = 48;
/** What stands below the 32 bits of a seed. */
const SEED_LOW = 0x330en;
/** State of a generator that nobody has seeded. */
const UNSEEDED = 0x1234_abcd_330en;
/** Numbers have so many bits: the highest ones. */
const RESULT_BITS = 31;
const RESULT_LIMIT = 2 ** RESULT_BITS - 1;

export class Rand48 {
  #state = UNSEEDED;

  /** @param value a 32-bit integer */
  seed(value: number): void {
    this.#state = (BigInt(value >>> 0) << 16n) | SEED_LOW;
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state = BigInt.asUintN(BITS, this.#state * MULTIPLIER + INCREMENT);
    const bits = Number(this.#state >> BigInt(BITS - RESULT_BITS));
    return (bits % RESULT_LIMIT) / RESULT_LIMIT;
  }
}
