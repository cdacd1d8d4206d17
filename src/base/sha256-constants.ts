/** The constants of SHA-256: fractions of the square and cube roots of the first primes, in 32 bits. Source: FIPS 180-4. */

export interface Sha256Constants {
  /** Of cube roots, one a round. */
  readonly roots: Int32Array;
  /** Of square roots: the state before the first block. */
  readonly start: Int32Array;
}

let constants: Sha256Constants | undefined;

export function sha256Constants(): Sha256Constants {
  constants ??= {
    roots: Int32Array.from(firstPrimes(64), (prime) => fraction(prime, 3)),
    start: Int32Array.from(firstPrimes(8), (prime) => fraction(prime, 2)),
  };
  return constants;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/** The first 32 bits behind the point of a root, by whole numbers: floating point has too few digits. */
function fraction(prime: number, degree: 2 | 3): number {
  const scaled = BigInt(prime) << BigInt(32 * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(degree) <= scaled) low = middle;
    else high = middle;
  }
  return Number(BigInt.asIntN(32, low));
}
