/** Time and chance from the machine. */
import { randomBytes } from 'node:crypto';
// The global of this name is a getter, which every call would go through.
import { performance } from 'node:perf_hooks';
import { type Clock, type Rng, monoMs, unixMs } from '../base/index.ts';

export const machineClock: Clock = {
  monoMs: () => monoMs(Math.floor(performance.now())),
  monoUs: () => performance.now() * 1000,
  unixMs: () => unixMs(Date.now()),
};

const POOL_BYTES = 4096;

/** Random numbers from the system, drawn in blocks. */
export function machineRng(): Rng {
  let pool = randomBytes(POOL_BYTES);
  let at = 0;
  const u32 = (): number => {
    if (at + 4 > pool.length) {
      pool = randomBytes(POOL_BYTES);
      at = 0;
    }
    const value = pool.readUInt32LE(at);
    at += 4;
    return value;
  };
  return {
    below: (bound) => Math.floor((u32() / 0x1_0000_0000) * bound),
    float: () => u32() / 0x1_0000_0000,
  };
}
