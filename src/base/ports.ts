/**
 * The small interfaces through which time and chance enter levels 0 to 4.
 * `io/` implements them with Node, `sim/` with a seeded virtual world.
 */
import type { MonoMs, UnixMs } from './brands.ts';

export interface Clock {
  /** Whole milliseconds for waiting and time-outs. */
  monoMs(): MonoMs;
  /** Microseconds of the same forward-only clock, for measuring how long a command ran. */
  monoUs(): number;
  /** Whole milliseconds since 1970 UTC. */
  unixMs(): UnixMs;
}

export interface Rng {
  /** A uniform integer in [0, bound); `bound` in [1, 2^32]. */
  below(bound: number): number;
  /** A uniform float in [0, 1). */
  float(): number;
}

/** `count` random lower-case hexadecimal digits. */
export function randomHex(rng: Rng, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += '0123456789abcdef'[rng.below(16)];
  return text;
}

/**
 * A small deterministic generator (splitmix32 seeding xoshiro128**), for tests, simulation and places that need
 * speed rather than secrecy.
 */
export function seededRng(seed: number): Rng {
  let mix = seed | 0;
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = next32();
  let b = next32();
  let c = next32();
  let d = next32();
  const u32 = (): number => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  return {
    below: (bound) => Math.floor((u32() / 0x1_0000_0000) * bound),
    float: () => u32() / 0x1_0000_0000,
  };
}
